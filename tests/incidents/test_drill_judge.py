"""What the drill demands of its runs, broken one demand at a time."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from truegreen.incidents.drills.drill import DrillResult, DrillRun
from truegreen.incidents.drills.judge import FLAG, control_problems, fault_problems
from truegreen.incidents.drills.release_smoke import (
    without_pin,
    without_seal,
    without_smoke_paths,
)

SUCCESS = {"push": "accepted", "health": 200, "conclusion": "success"}


def document(*, fault: bool, world: str = "hold") -> dict[str, Any]:
    status, held = ("fail", world == "hold") if fault else ("pass", False)
    leak = {"variable": FLAG, "file": "raptor/settings.py", "line": 45, "present": True}
    smoke = {
        "name": "smoke", "sealed": not fault, "total": 14, "leaks": [leak] if fault else [],
        "passed": 0 if fault else 14, "failed": 14 if fault else 0,
    }  # fmt: skip
    names = ["schema-ahead-of-code"] if held else ["failed-release-serves"]
    return {
        "verdict": "red" if fault else "green",
        "sentence": "a sentence.",
        "release": {"version": 5},
        "serving": {"version": 4 if held else 5},
        "schema": {"relation": "ahead" if held else "at head"},
        "diagnosis": [{"name": name} for name in names] if fault else [],
        "checks": [
            {"name": "release.command", "status": status},
            {
                "name": "release.report",
                "status": status,
                "observed": "smoke 14 of 14 failed with 403 direct_origin_blocked",
                "detail": {"report": {"phases": [smoke]}},
            },
        ],
    }


def smoke_of(told: dict[str, Any]) -> dict[str, Any]:
    phase: dict[str, Any] = told["checks"][1]["detail"]["report"]["phases"][0]
    return phase


def test_what_the_drill_demands_is_met_by_what_it_describes() -> None:
    assert control_problems(document(fault=False), SUCCESS) == ()
    for world in ("hold", "deploy"):
        told = document(fault=True, world=world)
        assert fault_problems(told, SUCCESS, world=world, before=4) == ()


@pytest.mark.parametrize(
    "breaks",
    [
        lambda d: d.update(verdict="red"),
        lambda d: d.update(verdict="unverified"),
        lambda d: smoke_of(d).update(passed=13),
        lambda d: smoke_of(d).update(sealed=False),
        lambda d: d["checks"].pop(),
    ],
)
def test_a_control_that_is_not_quite_green_is_a_problem(
    breaks: Callable[[dict[str, Any]], None],
) -> None:
    told = document(fault=False)
    breaks(told)
    assert control_problems(told, SUCCESS)


@pytest.mark.parametrize("world", ["hold", "deploy"])
@pytest.mark.parametrize(
    "breaks",
    [
        lambda d: d.update(verdict="green"),
        lambda d: d.update(verdict="unverified"),
        lambda d: d["checks"][0].update(status="pass"),
        lambda d: d["checks"][0].update(status="unknown"),
        lambda d: d["checks"][1].update(status="pass"),
        lambda d: d["checks"][1].update(observed="smoke 14 of 14 failed"),
        lambda d: smoke_of(d).update(failed=13),
        lambda d: smoke_of(d).update(leaks=[]),
        lambda d: smoke_of(d)["leaks"][0].update(present=False),
        lambda d: smoke_of(d)["leaks"][0].update(line=0),
        lambda d: d.update(diagnosis=[]),
        lambda d: d.update(schema=None),
        lambda d: d["serving"].update(version=9),
    ],
)
def test_a_fault_that_is_not_reported_in_full_is_a_problem(
    breaks: Callable[[dict[str, Any]], None], world: str
) -> None:
    told = document(fault=True, world=world)
    breaks(told)
    assert fault_problems(told, SUCCESS, world=world, before=4)


def test_a_day_on_which_the_old_workflow_would_have_noticed_is_not_that_day() -> None:
    failure = {**SUCCESS, "conclusion": "failure"}
    assert fault_problems(document(fault=True), failure, world="hold", before=4)
    assert control_problems(document(fault=False), failure)


def run(*, control: bool, problems: tuple[str, ...] = ()) -> DrillRun:
    return DrillRun("x", control, "hold", SUCCESS, {}, problems)


def test_a_drill_needs_a_control_a_fault_and_its_time() -> None:
    both = (run(control=True), run(control=False))
    assert DrillResult("d", both, 10.0, 60.0).passed
    assert not DrillResult("d", both[1:], 10.0, 60.0).passed
    assert not DrillResult("d", both[:1], 10.0, 60.0).passed
    assert not DrillResult("d", both, 60.1, 60.0).passed
    broken = (run(control=True, problems=("x",)), run(control=False))
    assert not DrillResult("d", broken, 10.0, 60.0).passed


def test_the_edits_of_the_drill_change_raptors_configuration(
    request: pytest.FixtureRequest,
) -> None:
    import tomllib

    path = request.config.rootpath / "examples" / "raptor" / "truegreen.toml"
    before = tomllib.loads(path.read_text(encoding="utf-8"))
    text = path.read_text(encoding="utf-8")
    control = tomllib.loads(without_pin(text))
    wanted = deepcopy(before)
    del wanted["smoke"]["env"][FLAG]
    wanted["smoke"]["leaks"] = "record"
    assert control == wanted
    fault = tomllib.loads(without_seal(without_pin(text)))
    wanted["smoke"]["seal"] = False
    assert fault == wanted
    before["smoke"]["paths"] = []
    assert tomllib.loads(without_smoke_paths(text)) == before
