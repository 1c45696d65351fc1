"""One-off dynos: a command in the app's current slug, with its config vars, that runs once.

Attached to a client by `rendezvous`, or detached with its output in the app's log. They are listed
beside the formation's dynos and are started by nobody but a client; HTTP is `api/dynos.py`'s.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from truegreen.embedded.data_folder import DataFolder
from truegreen.embedded.dynos import Log
from truegreen.embedded.environment import process_env
from truegreen.embedded.leftovers import Leftovers
from truegreen.embedded.lines import LineSplitter
from truegreen.embedded.process import ProcessSpec, start, undisturbed
from truegreen.embedded.records import App, Release, new_id
from truegreen.embedded.rendezvous import Rendezvous
from truegreen.embedded.store import Store
from truegreen.embedded.terminal import Terminal, start_on_terminal

MOST = 20
"""One-off dynos an app, on one machine."""
MOST_SECONDS = 24 * 3600.0  # Heroku ends an attached one after an hour without data, all by a day


class NoSlug(Exception):
    """The app has no code yet."""


class TooMany(Exception):
    """The app has `MOST` one-off dynos."""


@dataclass(frozen=True)
class Wish:
    """What a client asked for. ``env`` is laid over the dyno's environment (``-e``, TERM)."""

    command: str
    attach: bool
    echo: bool = True
    type: str = "run"
    env: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class OneOff:
    """A one-off dyno as it is now; ``attach_url`` holds a secret, and is told once."""

    id: str
    app_id: str
    name: str
    type: str
    command: str
    state: Literal["starting", "up"]
    release: Release
    created_at: str
    updated_at: str
    attach_url: str | None = field(default=None, repr=False)


class OneOffs:
    """Use it in one event loop; nothing outlives ``close``. ``changed`` gets "create", "update" or
    "destroy", and the dyno."""

    def __init__(
        self, store: Store, data: DataFolder, rendezvous: Rendezvous, leftovers: Leftovers,
        log: Log, log_system: Log, clock: Callable[[], str], grace: float = 10.0,
        changed: Callable[[str, OneOff], None] = lambda *_: None,
    ) -> None:  # fmt: skip
        self._store = store
        self._data = data
        self.rendezvous = rendezvous
        self._leftovers = leftovers
        self._log = log
        self._log_system = log_system
        self._clock = clock
        self._grace = grace
        self._changed = changed
        self._dynos: dict[str, OneOff] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def of_app(self, app_id: str) -> list[OneOff]:
        return [dyno for dyno in self._dynos.values() if dyno.app_id == app_id]

    async def create(self, app: App, wish: Wish) -> OneOff:
        """A new dyno: a detached one runs, an attached one waits for its client at ``attach_url``.

        Raises NoSlug, TooMany, and UsageError when there can be no rendezvous.
        """
        release = self._store.release(app.current_release_id or "")
        if release is None or release.slug_id is None:
            raise NoSlug
        taken = {dyno.name for dyno in self.of_app(app.id)}
        if len(taken) >= MOST:
            raise TooMany
        names = (f"{wish.type}.{random.randint(1000, 9999)}" for _ in range(10_000))  # noqa: S311
        name = next(name for name in names if name not in taken)
        at = self._clock()
        dyno = OneOff(new_id(), app.id, name, wish.type, wish.command, "starting", release, at, at)
        self._dynos[dyno.id] = dyno
        self._changed("create", dyno)
        spec = self._spec(app, dyno, wish)
        if not wish.attach:
            self._begin(dyno.id, self._run_detached(app, dyno, spec))
            return dyno

        async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if dyno.id in self._dynos:  # it may have been stopped while it waited
                await self._begin(
                    dyno.id, self._run_attached(app, dyno, spec, wish, reader, writer)
                )

        try:
            url = await self.rendezvous.expect(meet, lambda: self._drop(dyno.id))
        except BaseException:
            self._drop(dyno.id)
            raise
        return replace(dyno, attach_url=url)

    def _spec(self, app: App, dyno: OneOff, wish: Wish) -> ProcessSpec:
        slug = self._store.slug(dyno.release.slug_id or "")
        if slug is None:
            raise NoSlug
        folder, venv = self._data.slug_app(slug.id), self._data.venv(slug.venv)
        env = process_env(app, dyno.release, slug, slug_dir=folder, venv=venv, dyno=dyno.name)
        command = slug.process_types.get(wish.command, wish.command)
        return ProcessSpec(command, folder, {**env, **_chosen(wish.env)})

    def _begin(self, key: str, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._drop(key))
        return task

    def _drop(self, key: str) -> None:
        self._tasks.pop(key, None)
        if gone := self._dynos.pop(key, None):
            self._changed("destroy", gone)

    def _up(self, app: App, dyno: OneOff, pid: int) -> None:
        self._leftovers.add(pid, self._data.slug_app(dyno.release.slug_id or ""))
        self._dynos[dyno.id] = up = replace(dyno, state="up", updated_at=self._clock())
        self._changed("update", up)
        self._log_system(app.name, dyno.name, "State changed from starting to up")

    def _ended(self, app: App, dyno: OneOff, pid: int, code: int | None) -> None:
        self._leftovers.discard(pid)
        said = "stopped" if code is None else f"exited with status {code}"
        self._log_system(app.name, dyno.name, f"Process {said}")
        self._log_system(app.name, dyno.name, "State changed from up to complete")

    async def _run_detached(self, app: App, dyno: OneOff, spec: ProcessSpec) -> None:
        output = LineSplitter(lambda line: self._log(app.name, dyno.name, line))
        self._log_system(app.name, dyno.name, f"Starting process with command `{spec.command}`")
        try:
            child = await start(spec, output.feed)
        except OSError as error:
            self._log_system(app.name, dyno.name, f"could not be started: {error}")
            return
        code: int | None = None
        try:
            self._up(app, dyno, child.pid)
            code = await asyncio.wait_for(child.wait(), MOST_SECONDS)
        except TimeoutError:
            pass
        finally:
            await undisturbed(child.end(self._grace))
            output.close()
            self._ended(app, dyno, child.pid, code)

    async def _run_attached(
        self, app: App, dyno: OneOff, spec: ProcessSpec, wish: Wish,
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        self._log_system(app.name, dyno.name, f"Starting process with command `{spec.command}`")
        try:
            terminal = await start_on_terminal(
                spec, writer.write, echo=wish.echo,
                lines=_size(wish.env, "LINES", 24), columns=_size(wish.env, "COLUMNS", 80),
            )  # fmt: skip
        except OSError as error:
            writer.write(f"could not be started: {error}\r\n".encode())
            return
        child = terminal.child
        code: int | None = None
        waits: set[asyncio.Task[int] | asyncio.Task[None]] = set()
        try:
            self._up(app, dyno, child.pid)
            exited = asyncio.create_task(child.wait())
            waits = {exited, asyncio.create_task(_typed(reader, terminal))}
            await asyncio.wait(waits, timeout=MOST_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            code = exited.result() if exited.done() else None
        finally:
            for wait in waits:
                wait.cancel()
            await undisturbed(terminal.end(self._grace))
            self._ended(app, dyno, child.pid, code)
        await writer.drain()

    async def stop(
        self, app_id: str, name_or_id: str | None = None, kind: str | None = None
    ) -> int:
        """Ends the dynos of that name, id or type (none given: all of the app); how many."""
        chosen = [
            dyno
            for dyno in self.of_app(app_id)
            if (name_or_id is None or name_or_id in (dyno.name, dyno.id))
            and kind in (None, dyno.type)
        ]
        tasks = [self._tasks[dyno.id] for dyno in chosen if dyno.id in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for dyno in chosen:
            self._drop(dyno.id)
        return len(chosen)

    async def close(self) -> None:
        self._changed = lambda *_: None  # the platform's end is none of theirs
        for app_id in {dyno.app_id for dyno in self._dynos.values()}:
            await self.stop(app_id)
        await self.rendezvous.close()


async def _typed(reader: asyncio.StreamReader, terminal: Terminal) -> None:
    """Hands on what the client types; returns when the client is gone."""
    while data := await reader.read(65536):
        terminal.type(data)


def _chosen(asked: Mapping[str, str]) -> dict[str, str]:
    """``-e`` wins over config vars, but not over what says who the dyno is and where it runs."""
    fixed = ("DYNO", "HOME", "PATH", "PYTHONPATH", "PORT")
    return {k: v for k, v in asked.items() if k not in fixed and not k.startswith("HEROKU_")}


def _size(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 1000 else default
