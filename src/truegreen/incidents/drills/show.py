"""Runs drills: the planned ones on one platform that they share, two at a time."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from truegreen.errors import TrueGreenError
from truegreen.incidents.drills.drill import Drill, DrillResult, Say
from truegreen.incidents.drills.plan import Plan
from truegreen.incidents.drills.play import play
from truegreen.incidents.drills.side_by_side import side_by_side
from truegreen.ship.stage import Stage, open_stage

AT_ONCE = 2  # drills; each has two apps that are shipped to at once
# A boot that takes longer is R10: what the drills' service never needs, and a drill can wait for.
SETTINGS = {"on-release-failure": "hold", "boot-timeout": "10"}


@dataclass(frozen=True, slots=True)
class Demand:
    """What is to be run. ``service`` and ``worlds`` are for drills with a stage of their own."""

    drills: Sequence[Drill | Plan]
    worlds: tuple[str, ...]
    service: Path | None = None


def run_drills(demand: Demand, say: Say) -> list[DrillResult]:
    """The results, in the order of the demand. Raises only when a stage could not be set."""
    found: dict[str, DrillResult] = {}
    for drill in demand.drills:
        if isinstance(drill, Drill):
            found[drill.name] = _own_stage(drill, demand, say)
    plans = [drill for drill in demand.drills if isinstance(drill, Plan)]
    if plans:
        for result in _shared_stage(plans, say):
            found[result.name] = result
    return [found[drill.name] for drill in demand.drills]


def exit_code(results: Sequence[DrillResult]) -> int:
    """1 when a drill failed, else 3 when one could not be made, else 0."""
    if any(not one.passed and not one.unmade for one in results):
        return 1
    return 3 if any(one.unmade for one in results) else 0


def document(results: Sequence[DrillResult], origin: float) -> dict[str, Any]:
    """The document of ``drill run``; its times count from ``origin``."""
    return {"drills": [one.as_json(origin) for one in results]}


def _own_stage(drill: Drill, demand: Demand, say: Say) -> DrillResult:
    if demand.service is None:
        return DrillResult(drill.name, (), 0.0, drill.within, unmade="its service is not here")
    try:
        return drill.run(demand.service, demand.worlds, say)
    except TrueGreenError as error:
        return DrillResult(
            drill.name, (), 0.0, drill.within, unmade=error.message, title=drill.title
        )


def _shared_stage(plans: Sequence[Plan], say: Say) -> list[DrillResult]:
    locks: Mapping[str, threading.Lock] = defaultdict(threading.Lock)
    places = {plan.name: place for place, plan in enumerate(plans, 1)}
    together = [plan for plan in plans if not plan.alone]
    alone = [plan for plan in plans if plan.alone]
    with open_stage(SETTINGS) as stage:
        tasks = [partial(_turn, plan, stage, places[plan.name], locks, say) for plan in together]
        results = side_by_side(tasks, at_once=AT_ONCE)
        for plan in alone:  # its fault reaches every app of the platform
            results += side_by_side([partial(play, plan, stage, places[plan.name], say)])
    return results


def _turn(
    plan: Plan, stage: Stage, place: int, locks: Mapping[str, threading.Lock], say: Say
) -> DrillResult:
    """Two drills with the same kind of fault are not played at once: to take one out may end what
    the other has caught."""
    with ExitStack() as held:
        for kind in sorted({fault.name for fault in plan.faults}):
            held.enter_context(locks[kind])
        return play(plan, stage, place, say)
