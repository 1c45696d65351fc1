"""Killed after any write of a deploy: what the next platform makes of what it finds.

A `kill -9` leaves on disk what the last finished write left. So the folder is copied after every
one, and a platform is begun on each copy. The kill of real processes is test_daemon.py's.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from truegreen.embedded.builds import Builds
from truegreen.embedded.control import Settings
from truegreen.embedded.data_folder import DataFolder
from truegreen.embedded.leftovers import Leftovers
from truegreen.embedded.records import App, Build, ReleaseStatus, Slug, now
from truegreen.embedded.releases import Releases
from truegreen.embedded.settings import Limits
from truegreen.embedded.store import Store
from truegreen.embedded.streams import Streams


class Copying(Store):
    """Leaves a copy of its folder in ``copies`` after every transaction."""

    def __init__(self, data: DataFolder, copies: Path) -> None:
        super().__init__(data.database)
        self._from, self._copies = data.root, copies
        self.count = 0

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        with super()._transaction() as db:
            yield db
        shutil.copytree(self._from, self._copies / f"{self.count:02d}")
        self.count += 1


class NoDynos:
    async def apply(self, app: str, plans: object) -> None: ...


class Quick(Builds):
    """What is built is a Procfile's text; nothing is installed."""

    async def _make_slug(
        self, app: App, build: Build, slug_id: str, tarball: Path, *_: Any
    ) -> Slug:
        folder = self._data.slug_app(slug_id)
        folder.mkdir(parents=True)
        types = {"web": "serve"}
        if command := tarball.read_text():
            types["release"] = command
        return Slug(slug_id, app.id, "c0ffee", types, "v", 1, "", now())


class House:
    def __init__(self, data: DataFolder, store: Store) -> None:
        self.store, self.data = store, data
        self.streams = Streams(data.logs, 16_000)
        settings, leftovers = Settings(store), Leftovers(data.processes)
        self.releases = Releases(
            store, self.streams, data, NoDynos(), leftovers, settings, now, grace=1.0
        )
        self.builds = Quick(store, self.streams, data, self.releases, leftovers, settings, Limits())

    async def deploy(self, app: App, source: Path) -> None:
        self.builds.create(app, source, "c0ffee", None)
        while self.store.pending_builds():
            await asyncio.sleep(0.01)
        await self.releases.settled()


def deployed(root: Path, command: str) -> list[Path]:
    """The folders that kills during a deploy of ``command`` could have left, in order."""
    data, copies = DataFolder(root / "data"), root / "copies"
    data.create()
    store = Copying(data, copies)
    source = root / "source"
    source.write_text(command)

    async def run() -> None:
        house = House(data, store)
        await house.deploy(store.add_app("demo"), source)
        house.streams.end_all()

    asyncio.run(run())
    store.close()
    return sorted(copies.iterdir())


@pytest.mark.parametrize("command", ["", "true"])
def test_killed_after_any_write_builds_and_releases_tell_the_same_story(
    tmp_path: Path, command: str
) -> None:
    ran = tmp_path / "ran"
    folders = deployed(tmp_path, f"echo once >>{ran}" if command else "")
    assert len(folders) >= 6
    seen = []
    for folder in folders:
        data = DataFolder(folder)
        store = Store(data.database)
        house = House(data, store)
        house.builds.settle_leftovers()
        house.releases.settle_leftovers()
        app = store.app("demo")
        assert app is not None
        builds, releases = store.builds(app.id), store.releases(app.id)
        assert not store.pending_builds()
        assert not store.pending_releases()
        for build in builds:
            made = store.release_with_slug(build.slug_id) if build.slug_id else None
            assert (str(build.status) == "succeeded") is (made is not None)
            assert build.release_id == (made.id if made else None)
        slugs = {release.slug_id for release in releases}
        assert {path.name for path in data.slugs.iterdir()} == slugs == store.slug_ids()
        good = [r.id for r in releases if r.status is ReleaseStatus.SUCCEEDED]
        assert app.current_release_id == (good[-1] if good else None)
        seen.append(([str(b.status) for b in builds], [str(r.status) for r in releases]))
        store.close()
    assert seen[0] == ([], [])
    assert (["failed"], []) in seen
    assert (
        (["succeeded"], ["failed"]) in seen if command else (["succeeded"], ["failed"]) not in seen
    )
    assert seen[-1] == (["succeeded"], ["succeeded"])
    assert not command or ran.read_text() == "once\n"


@pytest.mark.parametrize(("slug", "status"), [("new", "succeeded"), ("old", "failed")])
def test_what_waited_behind_a_deploy_with_older_code_does_not_undo_it(
    tmp_path: Path, slug: str, status: str
) -> None:
    data = DataFolder(tmp_path)
    data.create()
    store = Store(data.database)
    app = store.add_app("demo")
    for name in ("old", "new"):
        store.add_slug(Slug(name, app.id, None, {"web": "x"}, "v", 1, "", now()))
        deploy = store.add_release(
            app.id, description=name, slug_id=name, config={}, run_command=False, stream=None
        )
        store.end_release(deploy, ReleaseStatus.SUCCEEDED, current=True)
    waiting = store.add_release(
        app.id, description="Set A", slug_id=slug, config={"A": "1"}, run_command=False, stream=None
    )
    House(data, store).releases.settle_leftovers()
    found, app_after = store.release(waiting.id), store.app("demo")
    assert found is not None
    assert app_after is not None
    assert str(found.status) == status
    assert (app_after.current_release_id == waiting.id) is (status == "succeeded")
    store.close()
