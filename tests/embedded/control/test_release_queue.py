"""Releases decided with a fake data plane and real release commands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from truegreen.embedded.control import Settings
from truegreen.embedded.data_folder import DataFolder
from truegreen.embedded.dynos import DynoPlan
from truegreen.embedded.leftovers import Leftovers
from truegreen.embedded.records import App, Release, ReleaseStatus, Slug, new_id, now
from truegreen.embedded.releases import Releases
from truegreen.embedded.store import Store
from truegreen.embedded.streams import Streams

ADDRESS = "HEROKU_RELEASE_VERSION"


@dataclass
class FakeDynos:
    applied: list[list[tuple[str, int]]] = field(default_factory=list)

    async def apply(self, app: str, plans: Sequence[DynoPlan]) -> None:
        self.applied.append([(plan.name, plan.release_version) for plan in plans])


class House:
    """A store, streams and releases in a folder, and shorthands for what tests ask."""

    def __init__(self, root: Path, **settings: str) -> None:
        self.data = DataFolder(root)
        self.data.create()
        self.store = Store(self.data.database)
        self.streams = Streams(self.data.logs, 16_000)
        self.dynos = FakeDynos()
        self.settings = Settings(self.store)
        if settings:
            self.settings.change({k.replace("_", "-"): v for k, v in settings.items()})
        self.releases = Releases(
            self.store, self.streams, self.data, self.dynos, Leftovers(root / "p.json"),
            self.settings, now, grace=1.0,
        )  # fmt: skip
        found = self.store.app("demo")
        self.key = (found or self.store.add_app("demo")).id
        if found is None:
            self.releases.create(self.app, description="Initial release", slug_id=None)

    @property
    def app(self) -> App:
        app = self.store.app(self.key)
        assert app is not None
        return app

    def slug(self, command: str | None) -> str:
        types = {"web": "serve"} | ({"release": command} if command else {})
        slug = Slug(new_id(), self.key, "c0ffee", types, "v", 1, "", now())
        self.data.slug_app(slug.id).mkdir(parents=True)
        self.store.add_slug(slug)
        return slug.id

    def deploy(self, command: str | None) -> Release:
        return self.releases.create(self.app, description="Deploy", slug_id=self.slug(command))

    def status(self, release: Release) -> tuple[str, bool]:
        found = self.store.release(release.id)
        assert found is not None
        return str(found.status), self.app.current_release_id == release.id

    def description(self, release: Release) -> str:
        found = self.store.release(release.id)
        assert found is not None
        return found.description

    async def output(self, release: Release) -> str:
        fresh = self.store.release(release.id)
        assert fresh is not None
        stream = self.streams.find(fresh.stream or "")
        assert stream is not None
        return b"".join([part async for part in stream.follow()]).decode()


def play(root: Path, scenario: Callable[[House], Awaitable[None]], **settings: str) -> House:
    async def run() -> House:
        house = House(root, **settings)
        try:
            await scenario(house)
        finally:
            await house.releases.close()
            house.streams.end_all()
        return house

    house = asyncio.run(run())
    house.store.close()
    return house


def test_a_release_without_a_command_is_current_at_once(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        await house.releases.settled()
        release = house.deploy(None)
        assert (release.version, str(release.status), release.stream) == (2, "succeeded", None)
        assert house.status(release) == ("succeeded", True)
        await house.releases.settled()
        assert house.dynos.applied[-1] == [("web.1", 2)]

    play(tmp_path, scenario)


def test_a_release_is_pending_until_its_command_exits_0(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        release = house.deploy("echo hello from $DYNO")
        assert house.status(release) == ("pending", False)
        assert await house.output(release) == "hello from release.2\n"
        assert house.status(release) == ("succeeded", True)

    play(tmp_path, scenario)


def test_hold_keeps_the_old_release_on_the_dynos(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        old, bad = house.deploy(None), house.deploy("echo no; exit 13")
        await house.releases.settled()
        assert house.status(bad) == ("failed", False)
        assert house.status(old) == ("succeeded", True)
        assert house.dynos.applied[-1] == [("web.1", 2)]

    play(tmp_path, scenario)


def test_deploy_puts_a_failed_release_on_the_dynos_and_it_stays_failed(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        bad = house.deploy("exit 13")
        await house.releases.settled()
        assert house.status(bad) == ("failed", True)
        assert house.dynos.applied[-1] == [("web.1", 2)]

    play(tmp_path, scenario, on_release_failure="deploy")


def test_releases_of_an_app_run_one_after_another_in_order(tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def scenario(house: House) -> None:
        command = f"echo start $DYNO >>{log}; sleep 0.1; echo end $DYNO >>{log}"
        for _ in range(3):
            house.deploy(command)
        await house.releases.settled()

    play(tmp_path / "data", scenario)
    assert log.read_text().split("\n")[:-1] == [
        f"{what} release.{number}" for number in (2, 3, 4) for what in ("start", "end")
    ]


def test_a_command_that_hangs_is_ended_by_the_deadline_and_failed(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        release = house.deploy("echo begun; sleep 600")
        text = await house.output(release)
        assert house.status(release) == ("failed", False)
        assert "begun" in text
        assert "did not end within 0.5 s" in text
        assert "did not end within 0.5 s" in house.description(release)

    play(tmp_path, scenario, release_timeout="0.5")


def test_a_config_change_during_a_deploy_does_not_undo_it(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        house.deploy(None)
        new = house.deploy("sleep 0.2")
        change = house.releases.change_config(house.app, {"A": "1"}, "Set A config vars")
        assert change.slug_id != new.slug_id
        await house.releases.settled()
        found = house.store.release(change.id)
        assert found is not None
        assert found.slug_id == new.slug_id
        assert found.config == {"A": "1"}
        assert (await house.output(found), house.status(found)) == ("", ("succeeded", True))

    play(tmp_path, scenario)


def test_a_config_change_runs_the_command_and_an_add_on_does_not(tmp_path: Path) -> None:
    ran = tmp_path / "ran"

    async def scenario(house: House) -> None:
        house.deploy(f"echo $DYNO $A >>{ran}")
        await house.releases.settled()
        house.releases.change_config(house.app, {"A": "1"}, "Set A")
        await house.releases.settled()
        house.releases.change_config(house.app, {"A": "2"}, "Attach db", run_command=False)
        await house.releases.settled()
        assert house.dynos.applied[-1] == [("web.1", 4)]

    play(tmp_path / "data", scenario)
    assert ran.read_text() == "release.2\nrelease.3 1\n"


def test_what_runs_when_the_platform_stops_is_failed_and_says_so(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        running, waiting = house.deploy("echo begun; sleep 600"), house.deploy("true")
        stream = house.streams.find(running.stream or "")
        assert stream is not None
        async for _ in stream.follow():
            break
        await house.releases.close()
        assert house.status(running) == ("failed", False)
        assert "the platform was stopped" in house.description(running)
        assert house.status(waiting) == ("failed", False)
        assert "never started" in house.description(waiting)

    play(tmp_path, scenario)


def test_what_a_killed_platform_left_pending_is_failed_and_says_so(tmp_path: Path) -> None:
    async def killed(house: House) -> None:
        house.store.add_release(
            house.key, description="Deploy", slug_id=house.slug("x"), config={},
            run_command=True, stream="s",
        )  # fmt: skip

    async def again(house: House) -> None:
        house.releases.settle_leftovers()
        release = house.store.releases(house.key)[-1]
        assert release.status is ReleaseStatus.FAILED
        assert "the platform was killed" in release.description
        assert house.deploy(None).version == release.version + 1

    play(tmp_path, killed)
    play(tmp_path, again)


def test_a_command_that_cannot_be_started_is_failed(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        slug_id = house.slug("true")
        house.data.slug_app(slug_id).rmdir()
        release = house.releases.create(house.app, description="Deploy", slug_id=slug_id)
        await house.releases.settled()
        assert house.status(release) == ("failed", False)
        assert "could not be started" in house.description(release)

    play(tmp_path, scenario)


def test_only_web_is_scaled_by_the_first_deploy(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        house.deploy("true")
        entries = house.store.formation(house.key)
        assert {kind: entry.quantity for kind, entry in entries.items()} == {"web": 1}

    play(tmp_path, scenario)


@pytest.mark.parametrize("size", [40_000_000])
def test_a_huge_output_keeps_its_end_where_the_report_is(tmp_path: Path, size: int) -> None:
    async def scenario(house: House) -> None:
        release = house.deploy(
            f"echo first; head -c {size} /dev/zero | tr '\\0' x; echo; echo last"
        )
        await house.releases.settled()
        text = await house.output(release)
        assert house.status(release) == ("succeeded", True)
        assert len(text) < 20_000
        assert text.startswith("first\n")
        assert text.endswith("\nlast\n")

    play(tmp_path, scenario)
