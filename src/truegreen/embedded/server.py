"""The embedded platform put together, from its folder to its listening ports, and its clean end.

One asyncio process: control plane, data plane and API. What the parts do is theirs; this decides
what is started in which order, and that nothing is left when it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from truegreen.embedded import faults
from truegreen.embedded.access import Access
from truegreen.embedded.addons import Addons, Databases
from truegreen.embedded.api import build_api
from truegreen.embedded.api.respond import USER, ApiError, error_answer
from truegreen.embedded.api.webhooks import describe, tell_dyno
from truegreen.embedded.builds import Builds
from truegreen.embedded.claim import only_one, token_of
from truegreen.embedded.control import Control, Settings, Sources, Urls, log_stream
from truegreen.embedded.data_folder import DataFolder
from truegreen.embedded.disk import is_full
from truegreen.embedded.domains import Domains
from truegreen.embedded.dynos import DynoManager, DynoSettings, DynoState
from truegreen.embedded.edge import Edge, EdgeRule
from truegreen.embedded.edge_policy import EdgePolicy
from truegreen.embedded.fault_effects import ActiveFaults, Effects
from truegreen.embedded.git_push import GitPushes
from truegreen.embedded.handover import PREBOOT_SECONDS, Handover
from truegreen.embedded.oneoff import OneOff, OneOffs
from truegreen.embedded.records import now
from truegreen.embedded.releases import Releases
from truegreen.embedded.rendezvous import Rendezvous
from truegreen.embedded.router import Router, host_name, is_bare
from truegreen.embedded.settings import Limits
from truegreen.embedded.slug_cache import SlugCache
from truegreen.embedded.store import Store
from truegreen.embedded.streams import Streams
from truegreen.embedded.webhooks import Webhooks
from truegreen.errors import UsageError
from truegreen.secret import Secret

HOST = "127.0.0.1"
ORIGIN_SECRET = "ORIGIN_SECRET"  # noqa: S105 - the config var's name
SECRET_HEADER = "X-Origin-Secret"  # noqa: S105 - the header's name
_PORT = "port:"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServeOptions:
    """``port``: of the API, 0 for the one it had last time or any; ``settings``: runtime settings
    to change before the start, as `RuntimeSettings.with_values` reads them."""

    data: Path
    port: int = 0
    settings: dict[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    dynos: DynoSettings = field(default_factory=DynoSettings)


async def serve(options: ServeOptions, ready: Callable[[Control], None] | None = None) \
        -> None:  # fmt: skip
    """Runs the platform until SIGTERM, SIGINT or SIGHUP.

    ``ready`` is called when everything that ran before runs again and the API answers. Raises
    UsageError when a platform runs on this folder already, or ``port`` is in use.
    """
    data = DataFolder(options.data.absolute())
    data.create()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        with only_one(data):
            async with _Platform(options, data) as platform:
                await platform.resume()
                platform.announce()
                if ready:
                    ready(platform.control)
                await platform.control.oneoffs.rendezvous.prepare()
                await stop.wait()
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


class _Api(uvicorn.Server):
    """uvicorn without its signal handlers: the end is decided in `serve`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Closing:
    """Around the API: while the platform is being stopped, nothing new is begun."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.closing and scope.get("method") not in ("GET", "HEAD"):
            refusal = ApiError(503, "service_unavailable", "The platform is being stopped.")
            await error_answer(refusal)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _Platform:
    """Everything of one run; as a context, so that a start that fails half-way is undone too."""

    control: Control

    def __init__(self, options: ServeOptions, data: DataFolder) -> None:
        self._options = options
        self._data = data
        self._stack = contextlib.AsyncExitStack()
        self._faults = ActiveFaults()

    async def __aenter__(self) -> _Platform:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        data, options = self._data, self._options
        self._store = store = Store(data.database)
        self._stack.callback(store.close)
        self._domains = Domains(store)
        settings = Settings(store)
        if options.settings:
            settings.change(options.settings)
        socket_ = self._bind_api()
        self._streams = Streams(data.logs, options.limits.stream_bytes)
        self._dynos = dynos = DynoManager(
            data=data.root, log=self._log_app, settings=options.dynos, log_system=self._log_system,
            boot_timeout=lambda: settings().boot_timeout, handover=self._handover,
            changed=self._dyno_changed,
        )  # fmt: skip
        await dynos.reap_leftovers()
        router_port = await self._listen("router", lambda port: Router(
            self._app_of_host, dynos, lambda: sorted(store.app_names()), HOST, port,
            log=self._log_router, maintenance=self._domains.maintenance,
        ))  # fmt: skip
        edge_port = await self._listen(
            "edge",
            lambda port: Edge(
                self._edge_rule, (HOST, router_port), HOST, port, policy=self._edge_policy
            ),
        )
        api_port: int = socket_.getsockname()[1]
        store.save_settings({f"{_PORT}api": str(api_port)})
        urls = Urls(*(f"http://{HOST}:{port}" for port in (api_port, router_port, edge_port)))
        self.control = self._control(settings, urls)
        self._stack.push_async_callback(self._serve_api(socket_))

    def _control(self, settings: Settings, urls: Urls) -> Control:
        data, limits, store, dynos = self._data, self._options.limits, self._store, self._dynos
        releases = Releases(
            store, self._streams, data, dynos, dynos.leftovers, settings, now,
            grace=self._options.dynos.stop_grace,
            stuck=lambda app: self._faults.for_app(faults.ReleaseStuck, app),
        )  # fmt: skip
        builds = Builds(
            store, self._streams, data, releases, dynos.leftovers, settings, limits
        )  # fmt: skip
        cache = SlugCache(store, data, settings, self._running_releases, builds.drop_venv)
        git = GitPushes(
            store, self._streams, data, builds, dynos.leftovers, limits, urls.api
        )  # fmt: skip
        addons = Addons(store, releases, lambda: _postgres(data.postgres))
        effects = Effects(self._faults, dynos, releases.expire_stuck, addons.down)
        builds.settle_leftovers()
        releases.settle_leftovers()
        oneoffs = OneOffs(
            store, data, Rendezvous(data.root), dynos.leftovers, self._log_app, self._log_system,
            now, grace=self._options.dynos.stop_grace,
            changed=self._dyno_changed,
        )  # fmt: skip
        token = token_of(data.token_file)
        webhooks = Webhooks(store, lambda what, key: describe(self.control, what, key), USER)
        return Control(
            data, limits, token, urls, store, self._streams, settings,
            Sources(data.sources, limits), releases, builds, addons, dynos, git,
            self._faults, effects, oneoffs, Access(store, token), self._domains, webhooks, cache,
        )  # fmt: skip

    # ports

    def _bind_api(self) -> socket.socket:
        wanted = self._options.port
        # with its protocol named: asyncio turns Nagle off (40 ms a call) only where it sees TCP
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._stack.callback(listening.close)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, wanted or self._remembered("api")))
        except (OSError, OverflowError) as error:
            if wanted:
                raise UsageError(
                    f"port {wanted} of {HOST} cannot be had: {error}",
                    hint="end what uses it, or take another with --port (0: any)",
                ) from error
            listening.bind((HOST, 0))
        listening.listen(128)
        listening.setblocking(False)
        return listening

    def _remembered(self, name: str) -> int:
        return int(self._store.setting(_PORT + name) or 0)

    async def _listen(self, name: str, make: Callable[[int], Router | Edge]) -> int:
        """At the port it had last time, so that web_urls stay; at any when that is taken."""
        server = make(self._remembered(name))
        try:
            port = await server.start()
        except OSError:
            server = make(0)
            port = await server.start()
        self._stack.push_async_callback(server.close)
        self._store.save_settings({_PORT + name: str(port)})
        return port

    # what the data plane asks

    def _app_of_host(self, host: str) -> str | None:
        name, dot, rest = host.partition(".")
        known = dot and rest == "localhost" and name in self._store.app_names()
        return name if known else self._domains.app_of(host)

    def _handover(self, name: str) -> Handover:
        app = self._store.app(name)
        preboot = app is not None and self._store.preboot(app.id)
        return Handover(
            PREBOOT_SECONDS if preboot else 0.0, self._faults.for_app(faults.StaleDyno, name)
        )

    def _app_at_edge(self, host: str) -> str | None:
        names = sorted(self._store.app_names()) if is_bare(host_name(host)) else []
        return names[0] if len(names) == 1 else self._app_of_host(host)

    def _running_releases(self) -> set[str]:
        """Of every dyno: listed, kept by preboot or a fault, one-off."""
        found = {dyno.release_id for dyno in self._dynos.states()}
        for app in self._store.apps():
            found |= {dyno.release_id for dyno in self._dynos.serving(app.name)}
            found |= {dyno.release.id for dyno in self.control.oneoffs.of_app(app.id)}
        return found

    def _edge_policy(self, host: str) -> EdgePolicy:
        name, on = self._app_at_edge(host) or "", self._faults.for_app
        challenge = next(
            (f.status for f in self._faults.of(faults.EdgeChallenge) if f.app in ("*", name)), 0
        )
        return EdgePolicy(
            challenge, on(faults.EdgeLogin, name),
            on(faults.EdgeCached, name), on(faults.EdgeHidesVisitor, name),
            on(faults.EdgeOtherZone, name),
        )  # fmt: skip

    def _edge_rule(self, host: str) -> EdgeRule:
        """As a Transform Rule would have it that was set to the secret that runs."""
        name = self._app_at_edge(host)
        app = self._store.app(name) if name else None
        release = self._store.release(app.current_release_id or "") if app else None
        value = release.config.get(ORIGIN_SECRET) if release else None
        try:
            return EdgeRule(SECRET_HEADER, Secret(value) if value is not None else None)
        except UsageError as error:
            self._log_system(name or "", "edge", f"{ORIGIN_SECRET}: {error.message}")
            return EdgeRule(SECRET_HEADER, None)

    def _dyno_changed(self, action: str, dyno: DynoState | OneOff) -> None:
        tell_dyno(self.control, action, dyno)

    def _log_app(self, app: str, dyno: str, line: str) -> None:
        self._write_log(app, f"app[{dyno}]", line)

    def _log_system(self, app: str, dyno: str, line: str) -> None:
        self._write_log(app, f"heroku[{dyno}]", line)

    def _log_router(self, app: str, dyno: str, line: str) -> None:
        self._write_log(app, f"heroku[{dyno}]", line, soon=True)

    def _write_log(self, app: str, who: str, line: str, *, soon: bool = False) -> None:
        if app in self._store.app_names():
            at = datetime.now(UTC).isoformat(timespec="microseconds")
            try:
                stream = self._streams.open(
                    log_stream(app), limit=self._options.limits.app_log_bytes
                )
                (stream.line_soon if soon else stream.line)(f"{at} {who}: {line}")
            except OSError as error:
                if not is_full(error):
                    raise

    # beginning and end

    async def resume(self) -> None:
        """What ran before runs again. A part that cannot is logged: the others must run."""
        try:
            await self.control.addons.resume()
        except Exception:  # noqa: BLE001 - logged, see above
            _log.exception("the databases could not be brought back")
        for app in self.control.store.apps():
            try:
                await self.control.releases.put_on_dynos(app.id)
            except Exception:  # noqa: BLE001 - logged, see above
                _log.exception("the dynos of %s could not be brought back", app.name)

    def announce(self) -> None:
        """Writes ``platform.json``: from now on we are found."""
        urls, file = self.control.urls, self._data.info_file
        values = {
            "api": urls.api,
            "router": urls.router,
            "edge": urls.edge,
            "token_file": str(self._data.token_file),
            "data": str(self._data.root),
            "pid": os.getpid(),
            "started": now(),
        }
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
        fresh.replace(file)

    def _serve_api(self, listening: socket.socket) -> Callable[[], Awaitable[None]]:
        """Starts the API; returns the way to end all that runs, with the API answering to the
        last, so that who follows a build or a release reads how it ended."""
        gate = _Closing(build_api(self.control))
        server = _Api(
            uvicorn.Config(
                gate, http="h11", ws="none", lifespan="off", log_config=None, access_log=False,
                server_header=False, date_header=False, timeout_keep_alive=30,
                timeout_graceful_shutdown=2, backlog=128,
            )
        )  # fmt: skip
        task = asyncio.create_task(server.serve(sockets=[listening]))

        async def end() -> None:
            gate.closing = True
            self._data.info_file.unlink(missing_ok=True)
            try:
                await self.control.stop_work()
            finally:
                server.should_exit = True
                await task

        return end


def _postgres(folder: Path) -> Databases:
    from truegreen.embedded.postgres import PostgresServer  # only when an app asks: slow to import

    return PostgresServer(folder, log=_log.warning)
