"""What a planned drill demands of its runs, broken one demand at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from truegreen.errors import PlatformUnreachable
from truegreen.heroku import HerokuClient
from truegreen.incidents.drills import DrillResult, DrillRun, exit_code
from truegreen.incidents.drills.detection import (
    Observed,
    control_problems,
    fault_problems,
    matches,
)
from truegreen.incidents.drills.drill import Times
from truegreen.incidents.drills.plan import Plan, Step
from truegreen.incidents.drills.play import play
from truegreen.incidents.drills.witness import Witness
from truegreen.ship.stage import Stage

PLAN = Plan(
    "d", "it breaks", "code.served", "fail", "verify", "{app} serves {new}; …", "d.toml",
    also=("health.edge",), within=2.0, workflow="success", finding="stale", because="{old} is old.",
    fault=(Step("push"),),
)  # fmt: skip
WORDS = {"app": "shop", "old": "v3 (aa)", "new": "v4 (bb)"}
SUCCESS = {"conclusion": "success"}
SEEN = Observed(
    "red", "shop serves v4 (bb); code.served: no.",
    {"code.served": "fail", "health.edge": "unknown", "code.dynos": "pass"},
    findings=(("stale", "v3 (aa) is old."),),
)  # fmt: skip


def problems(
    seen: Observed = SEEN, gap: float | None = 1.0, day: Mapping[str, Any] = SUCCESS
) -> tuple[str, ...]:
    return fault_problems(PLAN, seen, WORDS, day, gap)


def test_what_the_drill_demands_is_met() -> None:
    assert problems() == ()


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (replace(SEEN, verdict="unverified"), "the verdict is unverified, not red"),
        (replace(SEEN, verdict="green"), "the verdict is green, not red"),
        (replace(SEEN, answers={"code.served": "pass"}), "code.served says pass, not fail"),
        (replace(SEEN, answers={"code.served": "unknown"}), "code.served says unknown"),
        (replace(SEEN, answers={"health.edge": "fail"}), "says nothing, not fail; reported by h"),
        (
            replace(SEEN, answers={**SEEN.answers, "flags.config": "fail"}),
            "flags.config reported it (fail), and is not named for it",
        ),
        (replace(SEEN, sentence="shop serves v3 (aa); no."), "the sentence is"),
        (replace(SEEN, findings=()), "the diagnosis is nothing, not stale"),
        (replace(SEEN, findings=(("stale", "v9 is old."),)), "stale says 'v9 is old.'"),
    ],
)
def test_a_fault_that_is_not_reported_in_full_is_a_problem(seen: Observed, says: str) -> None:
    assert any(says in problem for problem in problems(seen))


def test_a_report_that_comes_too_late_is_a_problem() -> None:
    assert any("after 2.1 s" in problem for problem in problems(gap=2.1))


def test_a_day_on_which_the_old_workflow_would_have_noticed_is_not_that_day() -> None:
    assert any("not that day" in one for one in problems(day={"conclusion": "failure"}))


def test_a_control_that_is_not_green_is_a_problem() -> None:
    green = replace(SEEN, verdict="green", answers={})
    assert control_problems(green, SUCCESS) == ()
    assert control_problems(SEEN, SUCCESS)
    assert control_problems(replace(green, verdict="unverified"), SUCCESS)
    assert control_problems(green, {"conclusion": "failure"})


def test_a_template_is_a_whole_sentence() -> None:
    assert matches("a … c.", "a b c.")
    assert not matches("a … c.", "a b c. And more.")
    assert not matches("a.c", "abc")


def test_reporters_are_told_in_the_order_in_which_they_reported() -> None:
    seen = replace(SEEN, at={"health.edge": 1.0, "code.served": 2.0})
    assert seen.reporters == ("health.edge", "code.served")


def run(*, control: bool, times: Times | None = None) -> DrillRun:
    return DrillRun("x", control, "hold", SUCCESS, {}, (), times)


def test_the_gap_runs_from_the_fault_to_the_report() -> None:
    reported = run(control=False, times=Times(0.0, 9.0, 3.0, 4.5))
    result = DrillResult("d", (run(control=True), reported), 9.0, 60.0)
    assert result.gap == 1.5
    silent = run(control=False, times=Times(0.0, 9.0, 3.0, None))
    assert DrillResult("d", (run(control=True), reported, silent), 9.0, 60.0).gap is None


def test_a_report_before_the_witness_looked_again_is_no_negative_gap() -> None:
    early = Times(0.0, 9.0, 3.0, 2.95)
    assert early.gap == 0.0
    assert early.as_json(0.0)["true"] == 2.95


def test_a_drill_that_could_not_be_made_is_neither_passed_nor_failed() -> None:
    unmade = DrillResult("d", (), 1.0, 60.0, unmade="no platform")
    passed = DrillResult("e", (run(control=True), run(control=False)), 1.0, 60.0)
    failed = replace(passed, problems=("x",))
    assert not unmade.passed
    assert [exit_code(found) for found in ([passed], [passed, unmade], [unmade, failed])] == [
        0, 3, 1
    ]  # fmt: skip


class Away(Stage):
    """A stage whose platform is gone."""

    def client(self) -> HerokuClient:
        raise PlatformUnreachable("no answer")


def test_a_platform_that_is_away_makes_no_drill(tmp_path: Path) -> None:
    away = Away(None, tmp_path)  # type: ignore[arg-type]
    result = play(PLAN, away, 1, lambda _: None)
    assert (result.unmade, result.passed) == ("no answer", False)


def test_a_witness_that_saw_nothing_says_so() -> None:
    with Witness(lambda: None, "app", "fault", 0) as witness:  # type: ignore[arg-type, return-value]
        assert witness.at is None
        witness.note()
        first = witness.at
        witness.note()
    assert witness.at == first
