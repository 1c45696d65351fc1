"""The control plane in one value: what the API's resources act on. `server` puts it together.

Also what takes several parts at once: to delete an app, to stop all work, to say how it is.
Nothing here knows HTTP.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from truegreen.embedded import source
from truegreen.embedded.access import Access
from truegreen.embedded.addons import Addons
from truegreen.embedded.builds import Builds
from truegreen.embedded.data_folder import DataFolder
from truegreen.embedded.domains import Domains
from truegreen.embedded.dynos import DynoPlan, DynoState
from truegreen.embedded.fault_effects import ActiveFaults, Effects
from truegreen.embedded.git_push import GitPushes
from truegreen.embedded.oneoff import OneOffs
from truegreen.embedded.records import App
from truegreen.embedded.releases import Releases
from truegreen.embedded.settings import Limits, RuntimeSettings
from truegreen.embedded.slug_cache import SlugCache
from truegreen.embedded.store import Store
from truegreen.embedded.streams import Streams
from truegreen.embedded.webhooks import Webhooks
from truegreen.secret import Secret

_SETTING = "setting:"


class Dynos(Protocol):
    """The data plane's `DynoManager`, as far as it is asked from here."""

    async def apply(self, app: str, plans: Sequence[DynoPlan]) -> None: ...
    def states(self, app: str | None = None) -> list[DynoState]: ...
    async def restart(self, app: str, name: str | None = None) -> None: ...
    async def stop_dyno(self, app: str, name: str) -> None: ...
    async def forget(self, app: str) -> None: ...
    async def close(self) -> None: ...


@dataclass(frozen=True)
class Urls:
    """Base URLs, without a slash at the end."""

    api: str
    router: str
    edge: str

    def web_url(self, app: str) -> str:
        return f"http://{app}.localhost:{self.router.rpartition(':')[2]}/"

    def edge_url(self, app: str) -> str:
        return f"http://{app}.localhost:{self.edge.rpartition(':')[2]}/"


class Settings:
    """The runtime settings, kept in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        saved = store.settings(_SETTING)
        self._now = RuntimeSettings().with_values(
            {name.removeprefix(_SETTING): value for name, value in saved.items()}
        )

    def __call__(self) -> RuntimeSettings:
        return self._now

    def change(self, values: dict[str, str]) -> RuntimeSettings:
        """Raises UsageError for a name or value that is none; then nothing is changed."""
        self._now = self._now.with_values(values)
        texts = self._now.as_text()
        self._store.save_settings({_SETTING + name: texts[name] for name in values})
        return self._now


class Sources:
    """Uploaded tarballs. The unguessable name is all that a client needs to write or read one, as
    with Heroku's signed URLs."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder = folder
        self._ttl = limits.source_ttl

    def new_name(self) -> str:
        """Makes room for one more; those older than an hour go."""
        old = time.time() - self._ttl
        for path in self.folder.iterdir():
            if path.stat().st_mtime < old:
                path.unlink(missing_ok=True)
        return secrets.token_urlsafe(32)

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.tar"


@dataclass(frozen=True)
class Control:
    """Everything that the API's resources need."""

    data: DataFolder
    limits: Limits
    token: Secret
    urls: Urls
    store: Store
    streams: Streams
    settings: Settings
    sources: Sources
    releases: Releases
    builds: Builds
    addons: Addons
    dynos: Dynos
    git: GitPushes
    faults: ActiveFaults
    effects: Effects
    oneoffs: OneOffs
    access: Access
    domains: Domains
    webhooks: Webhooks
    slug_cache: SlugCache

    async def rename_app(self, app: App, name: str) -> App:
        """Its dynos are started again under the new name. Raises NameTaken."""
        self.store.rename_app(app.id, name)
        await self.dynos.forget(app.name)
        self.streams.rename(log_stream(app.name), log_stream(name))
        await self.releases.put_on_dynos(app.id)
        renamed = self.store.app(app.id)
        assert renamed is not None
        return renamed

    async def delete_app(self, app: App) -> None:
        await self.releases.forget(app.id)
        await self.builds.forget(app.id)
        await self.oneoffs.stop(app.id)
        await self.dynos.forget(app.name)
        await self.addons.forget(app.id)
        slugs = {r.slug_id for r in self.store.releases(app.id) if r.slug_id}
        self.store.delete_app(app.id)
        self.streams.forget(log_stream(app.name))
        for slug_id in slugs:
            await asyncio.to_thread(source.remove, self.data.slugs / slug_id)
        await asyncio.to_thread(self.git.forget, app.id)

    async def stop_work(self) -> None:
        """Nothing that the platform started runs when this returns; the state can still be read."""
        await self.effects.close()
        await self.builds.close()
        await self.slug_cache.close()
        await self.releases.close()
        await self.oneoffs.close()
        await self.dynos.close()
        await self.addons.close()
        await self.webhooks.close()
        self.streams.end_all()

    def status(self) -> dict[str, Any]:
        """``truegreen platform status --json`` (DESIGN.md, "Command line")."""
        return {
            "api": self.urls.api,
            "router": self.urls.router,
            "edge": self.urls.edge,
            "token_file": str(self.data.token_file),
            "data": str(self.data.root),
            "pid": os.getpid(),
            "settings": self.settings().as_text(),
            "faults": self.faults.as_text(),
            "apps": [self._app_status(app) for app in self.store.apps()],
        }

    def _app_status(self, app: App) -> dict[str, Any]:
        current = self.store.release(app.current_release_id or "")
        return {
            "name": app.name,
            "web_url": self.urls.web_url(app.name),
            "edge_url": self.urls.edge_url(app.name),
            "release": f"v{current.version}" if current else None,
            "dynos": [
                {"name": dyno.name, "state": dyno.state, "pid": dyno.pid}
                for dyno in self.dynos.states(app.name)
            ],
        }


def log_stream(app_name: str) -> str:
    """The name of the stream that holds what the app's dynos print. Not reachable by its name."""
    return f"app-{app_name}"
