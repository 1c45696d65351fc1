"""Builds: an uploaded source tarball becomes a slug, and the slug a release.

The steps are told live on the build's output stream in Heroku's manner (``-----> …``). What a
source may be is `source`'s and `python_build`'s; what happens to the release is `releases`'.
"""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import shlex
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import uv

from truegreen.embedded import source
from truegreen.embedded.data_folder import DataFolder
from truegreen.embedded.disk import is_full, written
from truegreen.embedded.environment import build_env
from truegreen.embedded.leftovers import Leftovers
from truegreen.embedded.process import ProcessSpec
from truegreen.embedded.python_build import PythonPlan, plan_python
from truegreen.embedded.records import App, Build, BuildStatus, Release, Slug, new_id, now
from truegreen.embedded.releases import Releases, run_logged
from truegreen.embedded.settings import Limits, RuntimeSettings
from truegreen.embedded.source import BuildError
from truegreen.embedded.store import Store
from truegreen.embedded.streams import Stream, Streams

if TYPE_CHECKING:
    from truegreen.embedded.wheel import OwnWheel

AT_ONCE = 2  # builds that run at the same time; more wait
COMPLETE = ".truegreen-complete"
_log = logging.getLogger(__name__)


class Builds:
    """``operator_env`` is read for what a build needs to reach an index, and no further."""

    def __init__(
        self,
        store: Store,
        streams: Streams,
        data: DataFolder,
        releases: Releases,
        leftovers: Leftovers,
        settings: Callable[[], RuntimeSettings],
        limits: Limits,
        operator_env: Callable[[], dict[str, str]] = lambda: dict(os.environ),
    ) -> None:
        self._store = store
        self._streams = streams
        self._data = data
        self._releases = releases
        self._leftovers = leftovers
        self._settings = settings
        self._limits = limits
        self._operator_env = operator_env
        self._tasks: dict[str, tuple[str, asyncio.Task[None]]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._venv_locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._venvs: dict[str, str] = {}  # of the builds that are under way

    def create(self, app: App, tarball: Path, version: str | None, checksum: str | None) -> Build:
        """A pending build of ``tarball``. ``version``: what the client calls the source, a commit;
        ``checksum``: ``SHA256:hex`` or bare hex, checked when given."""
        build = self._store.add_build(app.id, version, self._streams.new_name())
        self._streams.open(build.stream)
        task = asyncio.create_task(self._run(app, build, tarball, checksum))
        self._tasks[build.id] = (app.id, task)
        task.add_done_callback(lambda _: self._tasks.pop(build.id, None))
        return build

    async def _run(self, app: App, build: Build, tarball: Path, checksum: str | None) -> None:
        out = self._streams.open(build.stream)
        slug_id = new_id()
        reason = "the platform was stopped"
        try:
            deadline = self._settings().build_timeout
            try:
                async with self._slots, asyncio.timeout(deadline):
                    slug = await self._make_slug(app, build, slug_id, tarball, checksum, out)
                release = self._release(app, build, slug, out)
                reason = ""
            except TimeoutError:
                reason = f"the build did not end within {deadline:g} s and was ended"
            except BuildError as error:
                reason = str(error)
            except Exception as error:  # noqa: BLE001 - a bug of ours must not hang a build
                reason = f"the platform's disk is full: {error}"
                if not is_full(error):
                    _log.exception("build %s", build.id)
                    reason = f"the platform failed: {type(error).__name__}: {error}"
            else:  # the release is made: whatever comes now, the build has succeeded
                await written(lambda: self._succeeded(build, slug_id, release.id))
        finally:
            if reason:
                for line in reason.splitlines():
                    out.line(f" !     {line}")
                out.line(" !     Build failed: no release was made")
                await asyncio.shield(asyncio.to_thread(source.remove, self._data.slugs / slug_id))
                await written(lambda: self._failed(build, slug_id, reason))
            self._venvs.pop(build.id, None)
            self._streams.end(build.stream)

    def _failed(self, build: Build, slug_id: str, reason: str) -> None:
        self._store.mark_pruned([slug_id])  # when its row was written already
        self._store.end_build(build.id, BuildStatus.FAILED, reason=reason)

    def _succeeded(self, build: Build, slug_id: str, release_id: str) -> None:
        self._store.end_build(
            build.id, BuildStatus.SUCCEEDED, slug_id=slug_id, release_id=release_id
        )

    def _release(self, app: App, build: Build, slug: Slug, out: Stream) -> Release:
        fresh = self._store.app(app.id)
        if fresh is None:
            raise BuildError("the app was deleted meanwhile")
        self._store.add_slug(slug, build.id)
        short = (slug.commit or "")[:8]
        release = self._releases.create(
            fresh, description=f"Deploy {short}".strip(), slug_id=slug.id
        )
        out.line("-----> Launching...")
        out.line(f"       Released v{release.version}")
        return release

    async def _make_slug(
        self, app: App, build: Build, slug_id: str, tarball: Path, checksum: str | None, out: Stream
    ) -> Slug:
        out.line(f"-----> Building {app.name} on the embedded platform")
        if not tarball.is_file():
            raise BuildError("the source is empty: nothing was uploaded to its put_url")
        digest = await asyncio.to_thread(source.sha256_file, tarball)
        if checksum and checksum.lower().removeprefix("sha256:") != digest:
            raise BuildError(f"the source's checksum is SHA256:{digest}, not {checksum}")
        folder = self._data.slug_app(slug_id)
        size = await asyncio.to_thread(source.unpack, tarball, folder, self._limits)
        types = source.read_procfile(folder)
        plan = plan_python(folder, slug_id, digest)
        out.line(f"-----> Python app detected: {plan.manifest}")
        venv = await self._venv(build, plan, folder, out)
        out.line("-----> Discovering process types")
        out.line(f"       Procfile declares types -> {', '.join(sorted(types))}")
        if "web" not in types:
            out.line(" !     The Procfile has no `web`: nothing will answer HTTP requests")
        return Slug(
            slug_id, app.id, build.source_version, types, venv, size, f"SHA256:{digest}", now()
        )

    async def drop_venv(self, name: str) -> None:
        """Removes a virtual environment that no build under way and no slug uses any more."""
        async with self._venv_locks[name]:
            used = {slug.venv for slug in self._store.slugs() if not slug.pruned}
            if name not in used and name not in self._venvs.values():
                await asyncio.to_thread(source.remove, self._data.venv(name))

    async def _venv(self, build: Build, plan: PythonPlan, folder: Path, out: Stream) -> str:
        """The name of a complete virtual environment for ``plan``: found, or built in place."""
        wheel = None
        if plan.wants_truegreen:
            from truegreen.embedded.wheel import own_wheel  # slow to import at every start

            wheel = await asyncio.to_thread(own_wheel, self._data.wheels)
        name = plan.venv_name(
            f"{_python(plan)} {platform.python_version()}", wheel.digest if wheel else ""
        )
        target = self._data.venv(name)
        async with self._venv_locks[name]:
            self._venvs[build.id] = name
            if (target / COMPLETE).is_file():
                out.line("-----> Using the virtual environment that was built for the same before")
                return name
            await asyncio.to_thread(shutil.rmtree, target, ignore_errors=True)
            try:
                await self._build_venv(plan, folder, target, wheel, out)
            except BaseException:
                await asyncio.shield(asyncio.to_thread(source.remove, target))
                raise
            (target / COMPLETE).touch()
        return name

    async def _build_venv(
        self, plan: PythonPlan, folder: Path, target: Path, wheel: OwnWheel | None, out: Stream
    ) -> None:
        uv_bin = Path(os.fsdecode(uv.find_uv_bin()))
        home = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="truegreen-build-"))
        env = build_env(
            self._operator_env(),
            home=home,
            uv_bin=uv_bin,
            find_links=wheel.path.parent if wheel else None,
        )
        env |= {"UV_PROJECT_ENVIRONMENT": str(target), "VIRTUAL_ENV": str(target)}
        python = _python(plan)
        install = [*plan.install, "--python", str(target / "bin" / "python")]
        if wheel and plan.install[0] == "pip":
            # nothing of this name on an index may be taken for the one that runs here
            pin = home / "own.txt"
            pin.write_text(f"truegreen @ {wheel.path.resolve().as_uri()}\n", encoding="utf-8")
            install += ["--constraints", str(pin)]
        try:
            ours = python == sys.executable
            out.line(f"-----> Using Python {platform.python_version() if ours else python}")
            await self._uv(uv_bin, ["venv", "--quiet", "--python", python, str(target)], folder,
                           env, out, "the virtual environment cannot be made")  # fmt: skip
            if wheel:
                out.line(f"-----> Offering truegreen {wheel.version} as it runs here")
            out.line(f"-----> Installing what {plan.manifest} asks for, with uv")
            await self._uv(uv_bin, install, folder, env, out,
                           f"what {plan.manifest} asks for cannot be installed")  # fmt: skip
        finally:
            await asyncio.shield(asyncio.to_thread(source.remove, home))

    async def _uv(
        self, uv_bin: Path, args: list[str], cwd: Path, env: dict[str, str], out: Stream, what: str
    ) -> None:
        spec = ProcessSpec("exec " + shlex.join([str(uv_bin), *args]), cwd, env)
        # the build's own deadline cancels this one
        result = await run_logged(spec, out, self._settings().build_timeout, 5.0, self._leftovers)
        if result.code != 0:
            raise BuildError(f"{what}: see uv's words above")

    # beginning and end of the platform

    def settle_leftovers(self) -> None:
        """What a killed platform left half done: pending builds, slugs, virtual environments.
        A build whose release was made has succeeded; the others have failed."""
        for build in self._store.pending_builds():
            release = self._store.release_with_slug(build.slug_id) if build.slug_id else None
            if build.slug_id and release:
                self._succeeded(build, build.slug_id, release.id)
            else:
                self._failed(build, build.slug_id or "", "interrupted: the platform was killed")
        known = self._store.slug_ids()
        for folder in self._data.slugs.iterdir():
            if folder.name not in known:
                source.remove(folder)
        for folder in self._data.venvs.iterdir():
            if not (folder / COMPLETE).is_file():
                source.remove(folder)

    async def forget(self, app_id: str) -> None:
        """Ends the app's builds and removes its slugs."""
        await self._cancel([task for owner, task in self._tasks.values() if owner == app_id])
        for build in self._store.builds(app_id):
            self._streams.forget(build.stream)
            if build.slug_id:
                await asyncio.to_thread(source.remove, self._data.slugs / build.slug_id)

    async def close(self) -> None:
        await self._cancel([task for _, task in self._tasks.values()])

    @staticmethod
    async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _python(plan: PythonPlan) -> str:
    """What ``uv venv --python`` gets: ours when it is what is asked for, so none is downloaded."""
    ours = platform.python_version()
    asked = plan.python
    return sys.executable if asked is None or f"{ours}.".startswith(f"{asked}.") else asked
