"""The dynos of every app: started, watched, restarted with back-off, stopped, reported.

Which dynos there should be is told by ``apply``; this module knows no releases, builds or HTTP.
Behaviour and words follow Heroku's dyno manager (devcenter: "Dynos and the Dyno Manager", "Heroku
Error Codes"): the old dyno is stopped while the new one starts, unless `handover` keeps it.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from truegreen.embedded import process
from truegreen.embedded.handover import Handover, Kept
from truegreen.embedded.leftovers import Leftovers
from truegreen.embedded.lines import LineSplitter
from truegreen.embedded.ports import accepts, free_port

State = Literal["starting", "up", "crashed", "down", "idle"]
Log = Callable[[str, str, str], None]

_SPAWN_PATIENCE = 30.0  # seconds that apply waits for a command to be spawned at all
_PROBE_PAUSE = 0.02


@dataclass(frozen=True)
class DynoPlan:
    """One dyno that should run. ``env`` is all it gets; PORT (web only) is added here."""

    app: str
    type: str
    number: int
    command: str
    release_id: str
    release_version: int
    slug_dir: Path
    env: Mapping[str, str] = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.type}.{self.number}"


@dataclass(frozen=True)
class DynoState:
    """A dyno as it is now. Times are aware UTC; ``pid`` and ``port`` only while it runs."""

    id: str
    name: str
    app: str
    type: str
    state: State
    release_id: str
    release_version: int
    command: str
    pid: int | None
    port: int | None
    created_at: datetime
    updated_at: datetime
    reason: str


@dataclass(frozen=True)
class DynoSettings:
    """All in seconds. A dyno that was up for ``restart_reset`` starts its back-off anew."""

    boot_timeout: float = 60.0
    stop_grace: float = 10.0
    restart_first: float = 10.0
    restart_max: float = 300.0
    restart_reset: float = 60.0


class DynoManager:
    """Every dyno of the platform. Use it in one event loop; nothing outlives ``close``.

    ``log(app, dyno, line)`` gets what dynos print, ``log_system`` (default: the same) what the
    platform says about them. ``data`` is where the record of running processes is kept;
    ``boot_timeout`` is asked at each start, where it can change while the platform runs.
    ``handover(app)``: which of its old web dynos serve on when they are replaced.
    ``leftovers`` is that record, for other processes of the platform to be noted in too.
    ``changed`` gets "create", "update" or "destroy", and the dyno as it is then.
    """

    def __init__(
        self,
        *,
        data: Path,
        log: Log,
        settings: DynoSettings | None = None,
        boot_timeout: Callable[[], float] | None = None,
        log_system: Log | None = None,
        handover: Callable[[str], Handover] = lambda _: Handover(),
        changed: Callable[[str, DynoState], None] = lambda *_: None,
    ) -> None:
        self.leftovers = Leftovers(data / "processes.json")
        self._settings = settings or DynoSettings()
        self._boot_timeout = boot_timeout
        self._log = log
        self._log_system = log_system or log
        self._dynos: dict[str, dict[str, _Dyno]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._handover = handover
        self._changed = changed
        self._kept: Kept[_Dyno] = Kept(self._retire)
        self._leaving: dict[asyncio.Task[None], str] = {}
        self._reaping: asyncio.Task[list[int]] | None = None
        self._closed = False

    async def reap_leftovers(self) -> list[int]:
        """End what an earlier platform left running here. Done once, by the first ``apply`` too."""
        if self._reaping is None:
            self._reaping = asyncio.create_task(
                self.leftovers.reap(grace=self._settings.stop_grace)
            )
        return await asyncio.shield(self._reaping)

    async def apply(self, app: str, plans: Sequence[DynoPlan]) -> None:
        """Make the app's dynos be exactly these.

        A dyno whose plan is unchanged goes on (also in its back-off); a stopped or changed one is
        replaced. Returns when the new ones have been started and the old ones told to stop.
        Raises ValueError for a plan of another app, or two with one name.
        """
        wanted = {plan.name: plan for plan in plans}
        if len(wanted) != len(plans) or any(plan.app != app for plan in plans):
            raise ValueError(f"plans for {app} must be its own, each with its own name")
        await self.reap_leftovers()
        async with self._lock(app):
            current = self._dynos.setdefault(app, {})
            fresh = []
            served: list[_Dyno] = []
            for name, dyno in list(current.items()):
                if wanted.get(name) != dyno.plan or dyno.state.state == "down":
                    old = current.pop(name)
                    replaced = name in wanted and old.plan.type == "web"
                    if replaced and old.state.state == "up":
                        served.append(old)
                    else:
                        self._retire(old)
            self._kept.take(app, served, self._handover(app))
            if not any(plan.type == "web" for plan in plans):
                self._kept.forget(app)  # scaled to nothing: nothing serves
            for name, plan in wanted.items():
                if name not in current:
                    current[name] = self._begin(plan)
                    fresh.append(current[name])
            await _all_spawned(fresh)

    def states(self, app: str | None = None) -> list[DynoState]:
        """The dynos that there should be, as they are now; those being replaced are not listed."""
        dynos = (
            [d for per_app in self._dynos.values() for d in per_app.values()]
            if app is None
            else self._dynos.get(app, {}).values()
        )
        return sorted((dyno.state for dyno in dynos), key=_place)

    def serving(self, app: str) -> list[DynoState]:
        """The dynos that requests go to: those listed, or the old ones that preboot keeps."""
        lingering = [dyno.state for dyno in self._kept.lingering(app) if dyno.state.state == "up"]
        listed = self._dynos.get(app, {}).values()
        return lingering or [dyno.state for dyno in (*listed, *self._kept.stale(app))]

    def drop_stale(self) -> None:
        """Stops the dynos that were kept beside newer ones."""
        self._kept.drop_stale()

    async def restart(self, app: str, name: str | None = None) -> None:
        """Replace the app's dynos, or the one called ``name``. Raises KeyError: no such dyno."""
        async with self._lock(app):
            current = self._dynos.get(app, {})
            fresh = []
            for key in list(current) if name is None else [name]:
                dyno = current[key]
                self._retire(dyno)
                current[key] = self._begin(dyno.plan)
                fresh.append(current[key])
            await _all_spawned(fresh)

    async def stop_dyno(self, app: str, name: str) -> None:
        """Stop one dyno; it stays listed as ``down``. Returns when its processes are gone.

        The next ``restart`` or ``apply`` starts it again. Raises KeyError: no such dyno.
        """
        async with self._lock(app):
            leaving = self._retire(self._dynos.get(app, {})[name])
        await asyncio.wait({leaving})

    async def forget(self, app: str) -> None:
        """Stop the app's dynos and list them no more. Returns when their processes are gone."""
        async with self._lock(app):
            for dyno in self._dynos.pop(app, {}).values():
                self._retire(dyno)
            self._kept.forget(app)
        leaving = {task for task, owner in self._leaving.items() if owner == app}
        if leaving:
            await asyncio.wait(leaving)

    async def close(self) -> None:
        """Stop everything. Returns when every process is gone; ``apply`` starts nothing after."""
        self._closed = True
        self._kept.close()
        for app in list(self._dynos):
            for dyno in self._dynos.pop(app).values():
                self._retire(dyno)
        if self._reaping:
            await asyncio.wait({self._reaping})
        while self._leaving:
            await asyncio.wait(set(self._leaving))

    def tell(self, action: str, dyno: DynoState) -> None:
        if not self._closed:  # the platform's end is none of theirs
            self._changed(action, dyno)

    def _lock(self, app: str) -> asyncio.Lock:
        return self._locks.setdefault(app, asyncio.Lock())

    def _begin(self, plan: DynoPlan) -> _Dyno:
        if self._closed:
            raise RuntimeError("the platform is being stopped: no dyno is started any more")
        settings = self._settings
        if self._boot_timeout is not None:
            settings = replace(settings, boot_timeout=self._boot_timeout())
        return _Dyno(plan, settings, self._log, self._log_system, self)

    def _retire(self, dyno: _Dyno) -> asyncio.Task[None]:
        task = dyno.stop()
        self._leaving[task] = dyno.plan.app
        task.add_done_callback(lambda done: self._leaving.pop(done, None))
        return task

    def free_port(self) -> int:
        """A port that nobody has, and that no dyno of ours was promised."""
        taken = {state.port for state in self.states()}
        return next(port for port in iter(free_port, None) if port not in taken)


class _Dyno:
    """One dyno: a task that lives its lives until it is stopped."""

    def __init__(
        self,
        plan: DynoPlan,
        settings: DynoSettings,
        log: Log,
        log_system: Log,
        platform: DynoManager,
    ) -> None:
        self.plan = plan
        self.spawned = asyncio.Event()
        self._settings = settings
        self._write = log
        self._write_system = log_system
        self._platform = platform
        self._up_since: float | None = None
        now = datetime.now(UTC)
        self.state = DynoState(
            id=str(uuid.uuid4()),
            name=plan.name,
            app=plan.app,
            type=plan.type,
            state="starting",
            release_id=plan.release_id,
            release_version=plan.release_version,
            command=plan.command,
            pid=None,
            port=None,
            created_at=now,
            updated_at=now,
            reason="",
        )
        platform.tell("create", self.state)
        self._task = asyncio.create_task(self._live_on(), name=f"dyno {plan.app} {plan.name}")
        self._stopping: asyncio.Task[None] | None = None

    def stop(self) -> asyncio.Task[None]:
        """Begin to stop; the task that is returned ends when every process is gone."""
        if self._stopping is None:
            if not self._task.done():
                self._say("Stopping all processes with SIGTERM")
            self._turn("down", "stopped")
            self._platform.tell("destroy", self.state)
            self._task.cancel()
            self._stopping = asyncio.create_task(self._gone())
        return self._stopping

    async def _gone(self) -> None:
        await asyncio.wait({self._task})

    async def _live_on(self) -> None:
        delay = self._settings.restart_first
        while True:
            self._up_since = None
            reason = await self._live()
            lived = time.monotonic() - self._up_since if self._up_since else 0.0
            if lived >= self._settings.restart_reset:
                delay = self._settings.restart_first
            self._say(f"{reason}; next start in {delay:g} s")
            await asyncio.sleep(delay)
            delay = min(delay * 2, self._settings.restart_max)

    async def _live(self) -> str:
        """From start to crash; returns why. When cancelled, its processes are gone at the end."""
        web = self.plan.type == "web"
        env = dict(self.plan.env)
        port = self._platform.free_port() if web else None
        if port is not None:
            env["PORT"] = str(port)
        self._turn("starting", "", port=port)
        self._say(f"Starting process with command `{self.plan.command}`")
        output = LineSplitter(lambda line: self._write(self.plan.app, self.plan.name, line))
        spec = process.ProcessSpec(self.plan.command, self.plan.slug_dir, env)
        try:
            child = await process.start(spec, output.feed)
        except OSError as error:
            self._turn("crashed", f"could not be started: {error}")
            self.spawned.set()
            return self.state.reason
        try:
            self._platform.leftovers.add(child.pid, self.plan.slug_dir)
            self._turn("starting", "", port=port, pid=child.pid)
            self.spawned.set()
            exited = asyncio.create_task(child.wait())
            if port is not None and not await self._boot(port, exited):
                reason = (
                    f"Error R10 (Boot timeout) -> Web process failed to bind to $PORT within "
                    f"{self._settings.boot_timeout:g} seconds of launch"
                )
            else:
                if not exited.done():
                    self._up_since = time.monotonic()
                    self._turn("up", "", port=port, pid=child.pid)
                reason = f"Process exited with status {await exited}"
            self._turn("crashed", reason)
            return reason
        finally:
            await process.undisturbed(self._end(child, output))

    async def _boot(self, port: int, exited: asyncio.Task[int]) -> bool:
        """True: it accepts connections, or it has exited. False: the boot timeout passed."""
        until = time.monotonic() + self._settings.boot_timeout
        while time.monotonic() < until:
            if exited.done() or await accepts(port):
                return True
            await asyncio.wait({exited}, timeout=_PROBE_PAUSE)
        return exited.done()

    async def _end(self, child: process.Child, output: LineSplitter) -> None:
        if await child.end(self._settings.stop_grace):
            self._say(
                "Error R12 (Exit timeout) -> At least one process failed to exit within "
                f"{self._settings.stop_grace:g} seconds of SIGTERM"
            )
        output.close()
        self._platform.leftovers.discard(child.pid)

    def _turn(
        self, state: State, reason: str, *, port: int | None = None, pid: int | None = None
    ) -> None:
        if self.state.state == "down":
            return  # it was told to stop: what happens to its processes now is no crash
        before = self.state.state
        if before != state:
            self._say(f"State changed from {before} to {state}")
        self.state = replace(
            self.state,
            state=state,
            reason=reason,
            port=port,
            pid=pid,
            updated_at=datetime.now(UTC),
        )
        if state not in (before, "down"):
            self._platform.tell("update", self.state)

    def _say(self, line: str) -> None:
        self._write_system(self.plan.app, self.plan.name, line)


async def _all_spawned(dynos: Sequence[_Dyno]) -> None:
    waits = [asyncio.create_task(dyno.spawned.wait()) for dyno in dynos]
    try:
        if waits:
            await asyncio.wait(waits, timeout=_SPAWN_PATIENCE)
    finally:
        for wait in waits:
            wait.cancel()


def _place(state: DynoState) -> tuple[str, str, int]:
    return state.app, state.type, int(state.name.rpartition(".")[2])
