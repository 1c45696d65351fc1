"""Random schedules of the embedded platform's own faults, over HTTP, with lease, engine and ledger.

As test_schedules.py, with nothing simulated: a real platform builds, releases and runs a tiny
service, good or bad in a known way, while its faults come and go; then they are gone, and the same
command is run again until it says what is true. What is true is asked of the platform itself. CI
plays the first of them; more:

    TRUEGREEN_SCHEDULES_EMBEDDED=400 pytest tests/reliability/test_schedules_embedded.py -n 2 -rP
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from embedded_weather import Planned, Weather, draw_fault, draw_plan
from tiny_service import APP, RELEASE, Tiny

from truegreen.config import load_config
from truegreen.embedded import faults, locate
from truegreen.embedded.locate import PlatformInfo
from truegreen.errors import TrueGreenError
from truegreen.heroku.localhost import direct_transport
from truegreen.ledger import Ledger
from truegreen.ship.durable import DurableEngine
from truegreen.ship.lease import lease_of
from truegreen.ship.leases import Leases
from truegreen.ship.means import Means
from truegreen.ship.pipeline import Guards, lease_key, ship
from truegreen.ship.source import read_source
from truegreen.ship.target import Target
from truegreen.state import locate as locate_state

SCHEDULES = int(os.environ.get("TRUEGREEN_SCHEDULES_EMBEDDED", "24"))
BLOCKS = 2  # tests that the schedules are dealt to, so that they run side by side
SPEED = 10.0  # how much faster than ours the clock of a run goes
FAST = Means(
    clock=lambda: time.monotonic() * SPEED, sleep=lambda seconds: time.sleep(seconds / SPEED)
)
PATIENT = 5.0  # how much longer a run without faults waits: a busy machine is no fault
DEADLINE = 60.0  # seconds of ours for one run: 600 by its own clock
AGAIN = 4  # runs after the faults at most, until the truth is told

CONFIG = (
    '[service]\nname = "tiny"\n[env.production]\napp = "tiny-app"\n'
    "[release]\ntimeout = 40\nboot_timeout = 20\n"
)
FAILS = RELEASE + "raise SystemExit(3)\n"
LIES = APP.replace('os.environ.get("HEROKU_SLUG_COMMIT")', '"0" * 40')
OPEN = APP.replace('self.headers.get("X-Origin-Secret") != os.environ["ORIGIN_SECRET"]', "False")
KINDS: dict[str, dict[str, str]] = {
    "good": {},
    "release-fails": {"release.py": FAILS},
    "crashes": {"app.py": "raise SystemExit('no')\n"},
    "build-fails": {"requirements.txt": "this is no requirement!\n"},
    "lies": {"app.py": LIES},
    "origin-open": {"app.py": OPEN},
}
NOBODY_GETS_THROUGH = (faults.EdgeChallenge, faults.EdgeLogin, faults.EdgeOtherZone)
TRUTH = {"good": "green", "older": "exit 4"}  # of all others: red


class Truth(NamedTuple):
    """What the platform itself says of a commit, and what the app answers."""

    releases: tuple[Any, ...]  # that carry it, oldest first
    builds: tuple[Any, ...]  # of it, in any state
    says: tuple[str | None, ...]  # the commit that each answer names, past the edge

    def good(self, commit: str) -> bool:
        """Whether it is released, current, and what every answer comes from."""
        last = self.releases[-1] if self.releases else {"status": "", "current": False}
        return last["status"] == "succeeded" and last["current"] and set(self.says) == {commit}

    @property
    def settled(self) -> bool:
        """Whether there is a release of it that needs no other."""
        return any(
            one["status"] == "pending" or (one["status"] == "succeeded" and one["current"])
            for one in self.releases
        )


class Theatre:
    """A platform, an engine, a ledger, and a repository of each kind of commit."""

    def __init__(self, folder: Path, info: PlatformInfo, engine: DurableEngine) -> None:
        self.info, self.engine = info, engine
        self.location = locate_state(folder, {})
        tiny = Tiny(folder)
        tiny.commit({"truegreen.toml": CONFIG})
        self.sources = {"before": (load_config(tiny.root), read_source(tiny.root))}
        for kind, files in {**KINDS, "newer": {}}.items():
            root = folder / kind
            parent = folder / "good" if kind == "newer" else tiny.root
            tiny.git("clone", "--quiet", str(parent), str(root))
            for name, text in files.items():
                (root / name).write_text(text)
            tiny.git("-C", str(root), "add", "--all")
            tiny.git("-C", str(root), "commit", "--quiet", "--allow-empty", "--message", kind)
            self.sources[kind] = load_config(root), read_source(root)
        self.sources["older"] = self.sources["good"]
        self.http = httpx.Client(
            base_url=info.api,
            headers={"Authorization": f"Bearer {info.token().reveal()}"},
            transport=direct_transport(),
            timeout=30.0,
        )

    def ship(self, kind: str, app: str, weather: Weather, patient: float) -> str:
        """The verdict of one run, or its exit code."""
        config, source = self.sources[kind]
        release = config.release
        config = config._replace(
            release=release._replace(
                timeout=release.timeout * patient, boot_timeout=release.boot_timeout * patient
            )
        )
        environment = config.environments["production"]._replace(app=app)
        means = FAST._replace(transport=weather)
        target = Target("embedded", self.info.api, self.info.token(), environment, means)
        guards = Guards(
            engine=lambda: self.engine,
            lease=lambda of, tell: lease_of(lambda: Leases.open(self.location), of, source.commit),
        )
        began = time.monotonic()
        with Ledger.open(self.location) as ledger:
            try:
                shipped = ship(
                    config, source, lambda: target, weather, ledger=ledger, guards=guards
                )
            except TrueGreenError as error:
                verdict = f"exit {error.exit_code}"
            else:
                verdict = str(shipped.verdict)
                last = ledger.last(kind="ship")
                assert last is not None
                assert (last.app, last.verdict) == (app, verdict), "the ledger says another thing"
        took = time.monotonic() - began
        assert took <= DEADLINE, f"{took:.0f} s: past the deadline"
        leases = Leases.open(self.location)
        left = leases.look(lease_key(target))
        leases.close()
        assert (left.lease, left.before) == (None, ()), "a lease was left"
        return verdict

    def truth(self, app: str, commit: str) -> Truth:
        """Asked while no fault of answers is in."""
        if self.http.get(f"/apps/{app}").status_code == 404:
            return Truth((), (), ())
        slugs = {}
        releases = self.http.get(f"/apps/{app}/releases").json()
        for one in releases:
            slug = (one["slug"] or {}).get("id")
            if slug and slug not in slugs:
                slugs[slug] = self.http.get(f"/apps/{app}/slugs/{slug}").json()["commit"]
        ours = [one for one in releases if slugs.get((one["slug"] or {}).get("id")) == commit]
        builds = self.http.get(f"/apps/{app}/builds").json()
        secret = self.http.get(f"/apps/{app}/config-vars").json().get("ORIGIN_SECRET", "")
        says = tuple(self._says(app, secret) for _ in range(12))
        return Truth(
            tuple(sorted(ours, key=lambda one: int(one["version"]))),
            tuple(one for one in builds if one["source_blob"]["version"] == commit),
            says,
        )

    def _says(self, app: str, secret: str) -> str | None:
        answer = self.http.get(
            self.info.router + "/health",
            headers={"Host": f"{app}.localhost", "X-Origin-Secret": secret, "Authorization": ""},
        )
        return answer.json()["commit"] if answer.status_code == 200 else None

    def restart(self, app: str) -> None:
        """So that nobody waits until a crashed dyno is started again (10 s)."""
        self.http.delete(f"/apps/{app}/dynos")


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    folder = tmp_path_factory.mktemp("schedules")
    data = folder / "platform"
    info = locate.ensure_running(data, timeout=60)
    try:
        with DurableEngine.start(locate_state(folder, {})) as engine:
            one = Theatre(folder, info, engine)
            yield one
            one.http.close()
    finally:
        locate.stop(data)


class Schedule:
    """One seed, played."""

    def __init__(self, seed: int, theatre: Theatre) -> None:
        dice = random.Random(seed)
        self.theatre = theatre
        self.app = f"schedule-{seed}"
        self.kind = dice.choice((*KINDS, "good", "good", "good", "older"))
        self.before = "newer" if self.kind == "older" else dice.choice(("", "before"))
        self.plan = draw_plan(dice, self.app)
        self.commit = theatre.sources[self.kind][1].commit
        self.verdicts: list[str] = []

    def __str__(self) -> str:
        plan = ", ".join(str(one) for one in self.plan) or "no fault"
        return f"{self.kind} over {self.before or 'nothing'}; {plan}: {self.verdicts}"

    def play(self) -> None:
        if self.before:
            first = self.until("green", lambda: self.run(self.before, (), PATIENT)[0])
            assert first == "green", f"without faults {self.before} is {first}"
        self.attempt(self.plan, 1.0)
        self.theatre.restart(self.app)
        expected = TRUTH.get(self.kind, "red")
        last = self.until(expected, lambda: self.attempt((), PATIENT))
        assert last == expected, "the faults are gone, and the truth is not told"
        truth = self.theatre.truth(self.app, self.commit)
        assert truth.good(self.commit) is (self.kind in ("good", "origin-open"))

    def until(self, expected: str, run: Callable[[], str]) -> str:
        """Runs the same command until it says ``expected``, AGAIN times at most."""
        for _ in range(AGAIN):
            if (verdict := run()) == expected:
                break
        return verdict

    def attempt(self, plan: tuple[Planned, ...], patient: float) -> str:
        """A run of the commit in question, and what must be true of it whatever happened."""
        before = self.theatre.truth(self.app, self.commit)
        verdict, truth, world = self.run(self.kind, plan, patient)
        self.verdicts.append(verdict)
        if verdict == "green":
            assert self.kind == "good", "a false green"
            if any(isinstance(one, faults.DynoCrash) for one in world):
                # Killed and killed again: what was up when it was asked is not up by now.
                truth = truth._replace(says=(self.commit,))
            assert truth.good(self.commit), f"a false green: {truth}"
            shut = [one for one in world if isinstance(one, NOBODY_GETS_THROUGH)]
            assert not shut, f"green, and no user got through: {shut}"
        made = len(truth.releases) - len(before.releases)
        assert made <= self.allowed(before), f"{made} releases in one run: {truth}"
        built = [one for one in truth.builds if one["status"] != "failed"]
        assert len(built) <= 1, f"built {len(built)} times"
        assert len(truth.builds) - len(before.builds) <= 1, "two builds in one run"
        if self.kind == "older":
            assert not truth.builds, "built, and it may not be released"
        return verdict

    def allowed(self, before: Truth) -> int:
        """How many releases of the commit a run may make."""
        if before.settled or self.kind in ("older", "build-fails"):
            return 0
        # A build that an earlier run left running makes its release by itself; when that fails,
        # this run may try the same slug once more.
        left = any(one["status"] == "pending" for one in before.builds)
        return 2 if left and self.kind == "release-fails" else 1

    def run(
        self, kind: str, plan: tuple[Planned, ...], patient: float
    ) -> tuple[str, Truth, tuple[faults.Fault, ...]]:
        """The verdict; and what was true, with what was wrong with the app, when it was given."""
        weather = Weather(plan, self.theatre.info)
        try:
            verdict = self.theatre.ship(kind, self.app, weather, patient)
            weather.clear(world=False)
            return verdict, self.theatre.truth(self.app, self.commit), weather.world()
        finally:
            weather.end()

    def leave(self) -> None:
        self.theatre.http.delete(f"/apps/{self.app}")


@pytest.mark.platform
@pytest.mark.slow
@pytest.mark.timeout(max(180, SCHEDULES * 10 // BLOCKS))
@pytest.mark.parametrize("block", range(BLOCKS))
def test_schedules_of_the_platforms_own_faults(block: int, theatre: Theatre) -> None:
    seen: Counter[str] = Counter()
    for seed in range(block, SCHEDULES, BLOCKS):
        schedule = Schedule(seed, theatre)
        began = time.monotonic()
        try:
            schedule.play()
        except BaseException as error:
            error.add_note(f"seed {seed}: {schedule}")
            raise
        finally:
            schedule.leave()
        print(f"{time.monotonic() - began:5.1f} s, seed {seed}: {schedule}")
        seen.update([f"{schedule.kind}: {schedule.verdicts[0]}, {schedule.verdicts[-1]}"])
    print(f"seeds {block}, {block + BLOCKS}, … below {SCHEDULES}: {dict(sorted(seen.items()))}")
    with Ledger.open(theatre.location) as ledger:
        assert ledger.verify().holds
    assert faults.active(theatre.info) == {}
    assert any(key.endswith("green") for key in seen), "where nothing is green nothing is shown"


def test_every_kind_of_fault_can_be_drawn() -> None:
    for name, kind in faults.KINDS.items():
        assert isinstance(draw_fault(random.Random(0), name, "app"), kind)
