"""Releases: made, run one after another an app, become current or not, and put on dynos.

The one place that decides what a release's status is and which release is current. Builds, config
changes, rollbacks and add-ons all come here; HTTP and SQL do not. A release is made at once and
worked off by the app's own queue; a platform that is stopped in between marks it failed.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from truegreen.embedded.data_folder import DataFolder
from truegreen.embedded.disk import is_full, written
from truegreen.embedded.dynos import DynoPlan
from truegreen.embedded.environment import process_env
from truegreen.embedded.leftovers import Leftovers
from truegreen.embedded.process import ExitResult, ProcessSpec, run_to_end
from truegreen.embedded.records import App, FormationEntry, Release, ReleaseStatus, Slug
from truegreen.embedded.settings import OnReleaseFailure, RuntimeSettings
from truegreen.embedded.store import Store
from truegreen.embedded.streams import Stream, Streams

RELEASE_TYPE = "release"
SIZE = "Basic"
_log = logging.getLogger(__name__)


class Dynos(Protocol):
    """What is asked of the data plane's `DynoManager` from here."""

    async def apply(self, app: str, plans: Sequence[DynoPlan]) -> None: ...


@dataclass(frozen=True)
class RunningCommand:
    """A release command that runs now, as the dyno that Heroku lists for it."""

    release: Release
    pid: int
    started_at: str


@dataclass(frozen=True)
class _Follow:
    """The release changes config vars only: its slug is the one that is current at its turn."""

    run_command: bool


class Releases:
    """``settings`` is asked each time, because it can change while a command runs. ``stuck(app)``:
    does a release of this app stay pending after its command (seen on Heroku)? See `expire_stuck`.
    """

    def __init__(
        self,
        store: Store,
        streams: Streams,
        data: DataFolder,
        dynos: Dynos,
        leftovers: Leftovers,
        settings: Callable[[], RuntimeSettings],
        clock: Callable[[], str],
        grace: float = 10.0,
        stuck: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._store = store
        self._streams = streams
        self._data = data
        self._dynos = dynos
        self._leftovers = leftovers
        self._settings = settings
        self._clock = clock
        self._grace = grace
        self._stuck = stuck
        self._held: dict[str, str] = {}
        self._queues: dict[str, deque[tuple[Release, _Follow | None]]] = defaultdict(deque)
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._applying: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.running: dict[str, RunningCommand] = {}

    # making releases

    def create(
        self, app: App, *, description: str, slug_id: str | None,
        config: Mapping[str, str] | None = None,
    ) -> Release:  # fmt: skip
        """A new release of ``app``, pending while it waits or its release command runs.

        ``config``: the app's config vars from now on (default: those it has). Without a release
        command and with none before it in the queue, it is current when this returns.
        """
        return self._enqueue(
            app, description, slug_id, app.config if config is None else config,
            set_config=config is not None,
        )  # fmt: skip

    def change_config(
        self, app: App, config: Mapping[str, str], description: str, *, run_command: bool = True
    ) -> Release:
        """Sets the app's config vars, and releases them on the slug that is current *when its turn
        comes*: a deploy that is still under way must not be undone by it. ``run_command`` is false
        for add-ons' changes, which skip the release command, as on Heroku."""
        return self._enqueue(
            app, description, self._current_slug(app.id), config, _Follow(run_command),
            set_config=True,
        )  # fmt: skip

    def _enqueue(
        self, app: App, description: str, slug_id: str | None, config: Mapping[str, str],
        follow: _Follow | None = None, *, set_config: bool,
    ) -> Release:  # fmt: skip
        command = self._has_command(slug_id) and (follow is None or follow.run_command)
        stream = self._streams.new_name() if command else None
        if stream:
            self._streams.open(stream)
        self._scale_first_web(app.id, slug_id)
        release = self._store.add_release(
            app.id, description=description, slug_id=slug_id, config=config, run_command=command,
            stream=stream, set_config=set_config,
        )  # fmt: skip
        if not command and app.id not in self._workers:
            try:
                self._store.end_release(release, ReleaseStatus.SUCCEEDED, current=True)
            except sqlite3.Error as error:
                if not is_full(error):
                    raise
                # it is made: its turn writes the end as soon as there is room
        self._queues[app.id].append((release, follow))
        if app.id not in self._workers:
            self._workers[app.id] = asyncio.create_task(self._work(app.id))
        made = self._store.release(release.id)
        assert made is not None
        return made

    def _current_slug(self, app_id: str) -> str | None:
        app = self._store.app(app_id)
        release = self._store.release(app.current_release_id or "") if app else None
        return release.slug_id if release else None

    def _has_command(self, slug_id: str | None) -> bool:
        slug = self._store.slug(slug_id) if slug_id else None
        return slug is not None and RELEASE_TYPE in slug.process_types

    def _scale_first_web(self, app_id: str, slug_id: str | None) -> None:
        slug = self._store.slug(slug_id) if slug_id else None
        if slug and "web" in slug.process_types and "web" not in self._store.formation(app_id):
            self._store.set_formation([FormationEntry(app_id, "web", 1, SIZE)])

    # working them off

    async def _work(self, app_id: str) -> None:
        queue = self._queues[app_id]
        try:
            while queue:
                release, follow = queue.popleft()
                try:
                    await self._carry_out(release, follow)
                except Exception:  # noqa: BLE001 - a bug of ours must not stop the queue
                    _log.exception("release %s", release.id)
                    await written(partial(self._fail, release, "the platform failed: see its log"))
        finally:
            self._workers.pop(app_id, None)

    async def _carry_out(self, release: Release, follow: _Follow | None) -> None:
        app = self._store.app(release.app_id)
        fresh = self._store.release(release.id)
        if app is None or fresh is None:
            return
        if fresh.status is ReleaseStatus.PENDING:
            slug_id = self._current_slug(app.id)
            if follow is not None and fresh.slug_id != slug_id:
                fresh = self._moved(fresh, slug_id, follow)
            await self._decide(app, fresh)
        await self.put_on_dynos(app.id)

    def _moved(self, release: Release, slug_id: str | None, follow: _Follow) -> Release:
        """The release on the slug that became current while it waited."""
        command = self._has_command(slug_id) and follow.run_command
        stream = release.stream or (self._streams.new_name() if command else None)
        self._store.move_release(release.id, slug_id, run_command=command, stream=stream)
        if stream and not command:
            self._streams.end(stream)
        moved = self._store.release(release.id)
        assert moved is not None
        return moved

    async def _decide(self, app: App, release: Release) -> None:
        slug = self._store.slug(release.slug_id) if release.slug_id else None
        if not release.run_command or slug is None or release.stream is None:
            await written(
                lambda: self._store.end_release(release, ReleaseStatus.SUCCEEDED, current=True)
            )
            return
        problem = await self._run_command(app, release, slug, self._streams.open(release.stream))
        if self._stuck(app.name):
            self._held[release.id] = app.name
            self._streams.end(release.stream)
            return
        # the status first: who sees the stream end and asks again must find the answer
        await written(lambda: self._end(release, problem))
        self._streams.end(release.stream)

    def _end(self, release: Release, problem: str | None) -> None:
        if problem is None:
            self._store.end_release(release, ReleaseStatus.SUCCEEDED, current=True)
        else:
            deploy = self._settings().on_release_failure is OnReleaseFailure.DEPLOY
            self._fail(release, problem, current=deploy)

    async def _run_command(self, app: App, release: Release, slug: Slug, out: Stream) -> str | None:
        """Runs the release command; None when it exited 0, else what went wrong."""
        name = f"{RELEASE_TYPE}.{release.version}"
        folder = self._data.slug_app(slug.id)
        env = process_env(
            app, release, slug, slug_dir=folder, venv=self._data.venv(slug.venv), dyno=name
        )
        deadline = self._settings().release_timeout
        try:
            result = await run_logged(
                ProcessSpec(slug.process_types[RELEASE_TYPE], folder, env),
                out, deadline, self._grace, self._leftovers,
                on_start=lambda pid: self.running.__setitem__(
                    app.id, RunningCommand(release, pid, self._clock())
                ),
            )  # fmt: skip
        except asyncio.CancelledError:
            out.line(" !     release command interrupted: the platform was stopped")
            self._fail(release, "release command interrupted: the platform was stopped")
            raise
        except OSError as error:
            out.line(f" !     release command could not be started: {error}")
            return f"release command could not be started: {error}"
        finally:
            self.running.pop(app.id, None)
        if result.timed_out:
            out.line(f" !     release command did not end within {deadline:g} s and was ended")
            return f"release command did not end within {deadline:g} s"
        return None if result.code == 0 else ""

    def _fail(self, release: Release, problem: str, *, current: bool = False) -> None:
        text = f"{release.description} ({problem})" if problem else release.description
        self._store.end_release(release, ReleaseStatus.FAILED, current=current, description=text)

    # dynos

    async def put_on_dynos(self, app_id: str) -> None:
        """Makes the app's dynos those of its current release and formation."""
        async with self._applying[app_id]:
            app = self._store.app(app_id)
            if app is not None:
                await self._dynos.apply(app.name, self._plans(app))

    def _plans(self, app: App) -> list[DynoPlan]:
        release = self._store.release(app.current_release_id or "")
        slug = self._store.slug(release.slug_id) if release and release.slug_id else None
        if release is None or slug is None:
            return []
        folder, venv = self._data.slug_app(slug.id), self._data.venv(slug.venv)
        return [
            DynoPlan(
                app=app.name,
                type=entry.type,
                number=number,
                command=slug.process_types[entry.type],
                release_id=release.id,
                release_version=release.version,
                slug_dir=folder,
                env=process_env(
                    app, release, slug, slug_dir=folder, venv=venv, dyno=f"{entry.type}.{number}"
                ),
            )
            for entry in self._store.formation(app.id).values()
            if entry.type in slug.process_types
            for number in range(1, entry.quantity + 1)
        ]

    def process_types(self, app_id: str) -> dict[str, str]:
        """Types and commands of the newest release that has a slug; empty before the first."""
        release = self._store.newest_release(app_id, with_slug=True)
        slug = self._store.slug(release.slug_id or "") if release else None
        return dict(slug.process_types) if slug else {}

    # beginning and end of the platform

    def settle_leftovers(self) -> None:
        """What a killed platform left pending is failed, and says so; but where there was nothing
        to run, the release is made what it would have been a moment later."""
        for release in self._store.pending_releases():
            if release.run_command:
                self._fail(release, "release command interrupted: the platform was killed")
            elif self._is_next(release):
                self._store.end_release(release, ReleaseStatus.SUCCEEDED, current=True)
            else:
                self._fail(release, "never started: the platform was killed")

    def _is_next(self, release: Release) -> bool:
        """Brings it new code, or only other config vars to the code that is current? Else it may
        have waited for a deploy, which it must not undo."""
        first = self._store.release_with_slug(release.slug_id) if release.slug_id else None
        is_new = first is not None and first.id == release.id
        return is_new or release.slug_id == self._current_slug(release.app_id)

    def expire_stuck(self) -> None:
        """Ends, as ``expired`` and never current, what was held back and would not be any more."""
        for release_id, app in list(self._held.items()):
            if not self._stuck(app):
                del self._held[release_id]
                release = self._store.release(release_id)
                if release is not None and release.status is ReleaseStatus.PENDING:
                    self._store.end_release(release, ReleaseStatus.EXPIRED, current=False)

    async def settled(self) -> None:
        """Returns when no release is waiting or running."""
        while self._workers:
            await asyncio.wait(set(self._workers.values()))

    async def forget(self, app_id: str) -> None:
        """Ends the app's release command and drops those that wait."""
        self._queues.pop(app_id, None)
        await _cancelled([self._workers[app_id]] if app_id in self._workers else [])
        for release in self._store.releases(app_id):
            if release.stream:
                self._streams.forget(release.stream)

    async def close(self) -> None:
        """Ends the release commands that run; what waited is failed too."""
        waiting = [release for queue in self._queues.values() for release, _ in queue]
        self._queues.clear()
        await _cancelled(list(self._workers.values()))
        for release in waiting:
            fresh = self._store.release(release.id)
            if fresh is not None and fresh.status is ReleaseStatus.PENDING:
                self._fail(fresh, "release command never started: the platform was stopped")


async def _cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def run_logged(
    spec: ProcessSpec,
    out: Stream,
    deadline: float,
    grace: float,
    leftovers: Leftovers,
    on_start: Callable[[int], None] | None = None,
) -> ExitResult:
    """Runs ``spec`` into ``out``, noted in ``leftovers`` so that no kill leaves an orphan."""
    started: list[int] = []

    def note(pid: int) -> None:
        started.append(pid)
        leftovers.add(pid, spec.cwd)
        if on_start:
            on_start(pid)

    try:
        return await run_to_end(
            spec, on_output=out.write, deadline=deadline, grace=grace, on_start=note
        )
    finally:
        for pid in started:
            leftovers.discard(pid)
