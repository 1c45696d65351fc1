"""``release-smoke-cf-origin-guard``: the incident of 2026-06-21, put back and shipped.

The smoke suite gets back into the state of that day: no pin for the guard's flag, no seal, and
production's flag set. It is shipped from the schema at 0044, in both worlds (the platform holds
the old code, or deploys all the same).

The control is the same suite, also without the pin, on a dyno with the same flag: it differs from
the fault by the seal alone, and stays green only because the seal keeps the dyno's value out.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from truegreen.errors import TrueGreenError, Unverified
from truegreen.incidents.drills.asking import Clockwork
from truegreen.incidents.drills.drill import Drill, DrillResult, DrillRun, Say, Times
from truegreen.incidents.drills.judge import FLAG, control_problems, fault_problems
from truegreen.incidents.drills.side_by_side import side_by_side
from truegreen.incidents.drills.that_day import conclude
from truegreen.incidents.drills.witness import Witness
from truegreen.ship.stage import (
    Stage,
    change_settings,
    commit,
    copy_service,
    edit_text,
    open_stage,
)

NAME = "release-smoke-cf-origin-guard"
WITHIN = 60.0  # seconds
BASELINE_SCHEMA = "0044"
NEWER = ("0045", "0046")
# 19:35 the release failed, 19:36 a person read `heroku releases`: the review of that day.
THEN = 60.0  # seconds
THEN_TOLD = "by a person, following the procedure; the workflow had said success"


def run(service: Path, worlds: tuple[str, ...], say: Say) -> DrillResult:
    """Runs the drill on a stage of its own. Raises only when the stage could not be set."""
    began = time.monotonic()
    with open_stage({"on-release-failure": "hold"}) as stage:
        plans = [_Plan("control", fault=False, world="hold")]
        plans += [_Plan(f"fault-{world}", fault=True, world=world) for world in worlds]
        say(f"the schema at {BASELINE_SCHEMA}, for each run")
        # The first one alone: it fills the environment that they all share.
        scenes = [_baseline(stage, service, plans[0])]
        scenes += side_by_side([partial(_baseline, stage, service, plan) for plan in plans[1:]])
        runs: list[DrillRun] = []
        for world in ("hold", "deploy"):  # a setting of the whole platform, so one after the other
            chosen = [scene for scene in scenes if scene.plan.world == world]
            if chosen:
                say(f"the wave, where a failed release is {_told(world)}")
                change_settings(stage.platform, {"on-release-failure": world})
                runs += side_by_side([partial(_wave, stage, scene) for scene in chosen])
    return DrillResult(
        NAME,
        tuple(runs),
        time.monotonic() - began,
        WITHIN,
        title=DRILL.title,
        check=DRILL.checks[0],
        then=THEN,
        then_told=THEN_TOLD,
    )


def _told(world: str) -> str:
    return "held back" if world == "hold" else "deployed all the same"


@dataclass(frozen=True, slots=True)
class _Plan:
    label: str
    fault: bool
    world: str  # hold | deploy

    @property
    def app(self) -> str:
        return f"raptor-{self.label}"


@dataclass(frozen=True, slots=True)
class _Scene:
    """An app at the schema before the wave, and what belongs to the wave."""

    plan: _Plan
    repository: Path
    wave: dict[Path, bytes]
    serving: int  # the version that serves before the wave


def _baseline(stage: Stage, service: Path, plan: _Plan) -> _Scene:
    repository = stage.folder / plan.app
    copy_service(service, repository)
    wave = take_back(repository)
    commit(repository, f"before the wave: schema at {BASELINE_SCHEMA}")
    before = stage.ship(repository, plan.app)
    if before["verdict"] != "green":
        raise Unverified(
            f"the drill has no baseline: {before['sentence']}",
            hint="ship the service itself first, and see what it says",
        )
    if (before["schema"] or {}).get("current") != BASELINE_SCHEMA:
        raise Unverified(f"the drill's baseline is not at {BASELINE_SCHEMA}")
    return _Scene(plan, repository, wave, int(before["serving"]["version"]))


def _wave(stage: Stage, scene: _Scene) -> DrillRun:
    plan, repository = scene.plan, scene.repository
    put_back(scene.wave)
    edit_text(repository / "truegreen.toml", without_pin)
    if plan.fault:
        edit_text(repository / "truegreen.toml", without_seal)
    shipped_commit = commit(repository, "the wave: 0045, 0046 and their smoke tests")
    began = time.monotonic()
    clock = Clockwork()
    with stage.client() as client:
        if client.config_vars(plan.app).get(FLAG) != "1":
            raise TrueGreenError(f"{plan.app} has not {FLAG}=1: this is not that day's production")
        with Witness(stage.client, plan.app, "ended" if plan.fault else "", scene.serving) as seen:
            document = stage.ship(repository, plan.app, clock)
            seen.wait()
        that_day = conclude(client, plan.app, shipped_commit, "/health")
    reported = clock.at.get(DRILL.checks[0]) if plan.fault else None
    times = Times(began, time.monotonic(), seen.at, reported)
    problems = (
        fault_problems(document, that_day, world=plan.world, before=scene.serving)
        if plan.fault
        else control_problems(document, that_day)
    )
    return DrillRun(plan.label, not plan.fault, plan.world, that_day, document, problems, times)


def take_back(repository: Path) -> dict[Path, bytes]:
    """Removes what came with that day's wave, and gives it back to be put in again."""
    taken: dict[Path, bytes] = {}
    smoke = [path for path in (repository / "tests" / "smoke").rglob("*") if path.is_file()]
    migrations = [
        path
        for path in (repository / "migrations" / "versions").glob("*.py")
        if path.name.startswith(NEWER)
    ]
    if len(migrations) != len(NEWER) or not smoke:
        raise TrueGreenError("the service has not the migrations and smoke tests of that day")
    config = repository / "truegreen.toml"
    for path in (*smoke, *migrations, config):
        taken[path] = path.read_bytes()
    for path in (*smoke, *migrations):
        path.unlink()
    edit_text(config, without_smoke_paths)
    return taken


def put_back(taken: dict[Path, bytes]) -> None:
    for path, content in taken.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def without_smoke_paths(text: str) -> str:
    """The configuration of a service that has no smoke suite yet."""
    return re.sub(r"(?m)^paths = \[[^\]]*\]", "paths = []", text, count=1)


def without_pin(text: str) -> str:
    """The guard's flag is not pinned, as on that day; that it is read is recorded, not punished,
    so that what fails are the tests themselves."""
    text = re.sub(rf'(?m)^{FLAG} = "[^"]*".*\n', "", text)
    return re.sub(r"(?m)^leaks = .*$", 'leaks = "record"', text)


def without_seal(text: str) -> str:
    """The suite sees the machine's environment, as on that day."""
    return re.sub(r"(?m)^\[smoke\]$", "[smoke]\nseal = false", text)


DRILL = Drill(
    name=NAME,
    title="Smoke tests inherit production's origin guard flag (2026-06-21)",
    checks=("release.command", "release.report", "schema.head"),
    within=WITHIN,
    run=run,
    incident="2026-06-21-release-smoke-cf-origin-guard",
)
