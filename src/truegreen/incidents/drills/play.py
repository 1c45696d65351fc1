"""Plays one planned drill on a stage: control and fault side by side, each an app of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from truegreen.errors import TrueGreenError, Unverified
from truegreen.heroku import HerokuClient
from truegreen.incidents.drills.asking import ask_about
from truegreen.incidents.drills.detection import Observed, control_problems, fault_problems
from truegreen.incidents.drills.drill import DrillResult, DrillRun, Say, Times
from truegreen.incidents.drills.plan import Plan
from truegreen.incidents.drills.scene import Scene
from truegreen.incidents.drills.side_by_side import side_by_side
from truegreen.incidents.drills.that_day import conclude
from truegreen.incidents.drills.witness import Witness
from truegreen.model import short
from truegreen.ship.stage import Stage
from truegreen.verify.choose import current_release

MOST = 180.0  # seconds that a planned drill may take, all in all


def play(plan: Plan, stage: Stage, place: int, say: Say) -> DrillResult:
    """What came of ``plan`` on ``stage``. ``place`` tells its apps from those of other drills.

    Never raises for what the world does: a drill that could not be made says so in its result.
    """
    began = time.monotonic()
    runs: list[DrillRun] = []
    unmade = ""
    try:
        runs = side_by_side(
            [
                partial(_run, plan, stage, f"d{place}-{label}", label, say)
                for label in ("control", "fault")
            ]
        )
    except (TrueGreenError, OSError) as error:
        unmade = error.message if isinstance(error, TrueGreenError) else str(error)
    return DrillResult(
        plan.name,
        tuple(runs),
        time.monotonic() - began,
        MOST,
        unmade=unmade,
        title=plan.title,
        check=plan.check,
        then=plan.then.seconds,
        then_told=plan.then.told,
    )


@dataclass(frozen=True, slots=True)
class _Served:
    """What serves at a moment."""

    version: int
    commit: str | None

    @classmethod
    def of(cls, client: HerokuClient, app: str) -> _Served:
        try:
            current = current_release(client.releases(app))
        except TrueGreenError:
            return cls(0, None)
        if current is None or current.slug_id is None:
            return cls(0, None)
        return cls(current.version, client.slug(app, current.slug_id).commit)


def _run(plan: Plan, stage: Stage, app: str, label: str, say: Say) -> DrillRun:
    began = time.monotonic()
    is_fault = label == "fault"
    with ExitStack() as stack:
        client = stack.enter_context(stage.client())
        scene = Scene(stage, plan, app, stack)
        scene.set()
        for step in plan.before:
            scene.do(step)
        before = _Served.of(client, app)
        say(f"{plan.name}: {label}")
        steps = plan.fault if is_fault else plan.control
        # verify changes nothing: then it is one of the steps that makes the fault true
        early = steps if plan.ask == "verify" else ()
        for step in () if early else steps:
            scene.do(step)
        since = plan.since if is_fault else ""
        with Witness(stage.client, app, since, scene.version(client)) as witness:
            for step in early:
                scene.do(step)
            if since == "fault":
                witness.note()
            observed = ask_about(scene)
            witness.wait()
        commit = scene.commit()
        that_day = _that_day(scene, client, commit)
    if not is_fault:
        times = Times(began, time.monotonic())
        problems = control_problems(observed, that_day)
        return DrillRun(label, True, "hold", that_day, told(observed), problems, times)
    if witness.at is None:
        raise Unverified(f"the fault never became true on the platform (since = {plan.since!r})")
    reported = observed.at.get(plan.check)
    if observed.answers.get(plan.check) == "pass":
        reported = None
    times = Times(began, time.monotonic(), witness.at, reported)
    words = _words(app, before, observed, commit)
    problems = fault_problems(plan, observed, words, that_day, times.gap)
    return DrillRun(label, False, "hold", that_day, told(observed), problems, times)


def told(observed: Observed) -> Mapping[str, Any]:
    """The document of what was observed; a refusal has one with nothing but its sentence."""
    if observed.document:
        return observed.document
    checks = [
        {"name": name, "status": status, "observed": observed.sentence if status != "pass" else ""}
        for name, status in observed.answers.items()
    ]
    sentence = observed.sentence
    return {"verdict": observed.verdict, "sentence": sentence, "checks": checks, "diagnosis": []}


def _that_day(scene: Scene, client: HerokuClient, commit: str) -> Mapping[str, Any]:
    config, _ = scene.config()
    return conclude(client, scene.app, commit, config.health.path, pushed=scene.pushed)


def _words(app: str, before: _Served, observed: Observed, commit: str) -> dict[str, str]:
    release = observed.document.get("release") or {}
    new = f"v{release['version']}" if release.get("version") else "v?"
    old = f"v{before.version}"
    return {
        "app": app,
        "old": f"{old} ({short(before.commit)})",
        "new": f"{new} ({short(commit)})",
        "old_version": old,
        "new_version": new,
        "old_commit": short(before.commit),
        "new_commit": short(commit),
    }
