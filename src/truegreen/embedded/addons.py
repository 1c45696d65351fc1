"""Add-ons: a Postgres database of an app's own, and the config var that leads to it.

The server is started when the first app asks. How it runs is `postgres`' business.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import Protocol

from truegreen.embedded.records import Addon, App, new_id, now
from truegreen.embedded.releases import Releases
from truegreen.embedded.store import Store
from truegreen.errors import TrueGreenError

_log = logging.getLogger(__name__)
SERVICE = "heroku-postgresql"
_COLORS = ("AMBER", "BLUE", "CYAN", "GOLD", "GRAY", "GREEN", "JADE", "NAVY", "OLIVE", "PINK")


class Databases(Protocol):
    """What is asked of the data plane's `PostgresServer`."""

    async def start(self) -> None: ...
    async def create_database(self, name: str) -> str: ...
    async def drop_database(self, name: str) -> None: ...
    async def stop(self) -> None: ...


class DatabasesDown(TrueGreenError):
    """The server was told to stay down."""


class NoSuchPlan(Exception):
    """The plan is of no add-on that the embedded platform has."""


class Addons:
    """One server for all apps; ``make_server`` is not called before an add-on is there."""

    def __init__(
        self, store: Store, releases: Releases, make_server: Callable[[], Databases]
    ) -> None:
        self._store = store
        self._releases = releases
        self._make_server = make_server
        self._starting = asyncio.Lock()
        self._running: Databases | None = None
        self._down = False

    async def down(self, down: bool) -> None:
        """Stops the server and keeps it stopped, or lets it run again with all that it has."""
        self._down = down
        if down:
            await self.close()
        else:
            await self.resume()

    async def _server(self) -> Databases:
        async with self._starting:
            if self._down:
                raise DatabasesDown("the databases are down")
            if self._running is None:
                server = await asyncio.to_thread(self._make_server)
                await server.start()
                self._running = server
        return self._running

    async def create(self, app: App, plan: str) -> Addon:
        """A database of its own, its URL in DATABASE_URL (or HEROKU_POSTGRESQL_COLOR_URL when that
        is taken), by a release that skips the release command. ``plan``: ``heroku-postgresql`` or
        ``heroku-postgresql:SIZE``; the size is noted and means nothing. Raises NoSuchPlan."""
        service, _, size = plan.partition(":")
        if service != SERVICE:
            raise NoSuchPlan(plan)
        database = f"{app.name.replace('-', '_')}_{secrets.token_hex(4)}"
        url = await (await self._server()).create_database(database)
        fresh = self._store.app(app.id) or app
        addon = Addon(
            id=new_id(),
            app_id=app.id,
            name=f"postgresql-{secrets.token_hex(4)}",
            plan=f"{SERVICE}:{size or 'essential-0'}",
            database=database,
            config_var=_free_variable(fresh),
            created_at=now(),
        )
        self._store.add_addon(addon)
        self._releases.change_config(
            fresh,
            {**fresh.config, addon.config_var: url},
            f"Attach {addon.name}",
            run_command=False,
        )
        return addon

    async def delete(self, app: App, addon: Addon) -> None:
        """Takes the config var away, then the database."""
        self._store.delete_addon(addon.id)
        config = {k: v for k, v in app.config.items() if k != addon.config_var}
        self._releases.change_config(app, config, f"Detach {addon.name}", run_command=False)
        await (await self._server()).drop_database(addon.database)

    async def resume(self) -> None:
        """After a restart: the server runs again when it is needed, and every URL is true again."""
        for addon in self._store.addons():
            url = await (await self._server()).create_database(addon.database)
            self._store.replace_value(addon.app_id, addon.config_var, url)

    async def forget(self, app_id: str) -> None:
        """Drops the app's databases; one that cannot be dropped does not keep the app alive."""
        for addon in self._store.addons(app_id):
            try:
                await (await self._server()).drop_database(addon.database)
            except TrueGreenError:
                _log.exception("database %s is left behind", addon.database)

    async def close(self) -> None:
        async with self._starting:
            if self._running is not None:
                await self._running.stop()
                self._running = None


def _free_variable(app: App) -> str:
    names = ["DATABASE_URL", *(f"HEROKU_POSTGRESQL_{color}_URL" for color in _COLORS)]
    return next((name for name in names if name not in app.config), names[-1])
