"""canary-red: a verdict function that calls a known-bad record green is not trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from truegreen.model import CHECKS, Evidence, Judgement, Status, Verdict, judge, required_checks
from truegreen.model.canary import canaries, canary_problems

REQUIRED = required_checks()


def test_the_real_verdict_function_passes_and_every_check_has_its_canaries() -> None:
    assert canary_problems(REQUIRED) == ()
    names = {canary.name for canary in canaries(REQUIRED)}
    for check in CHECKS:
        if check.asked:
            assert {f"{check.name} fails", f"{check.name} was never asked"} <= names


def says(verdict: Verdict) -> Callable[..., Judgement]:
    return lambda evidence, required: Judgement(verdict, (), (), ())


def blind_to(check: str) -> Callable[..., Judgement]:
    def broken(evidence: Iterable[Evidence], required: Iterable[str]) -> Judgement:
        return judge([e for e in evidence if e.check != check], [r for r in required if r != check])

    return broken


def unknown_passes(evidence: Iterable[Evidence], required: Iterable[str]) -> Judgement:
    kept = [e for e in evidence if e.status is not Status.UNKNOWN]
    return judge(kept, [r for r in required if r in {e.check for e in kept}])


def last_wins(evidence: Iterable[Evidence], required: Iterable[str]) -> Judgement:
    return judge({e.check: e for e in evidence}.values(), required)


def raises(evidence: Iterable[Evidence], required: Iterable[str]) -> Judgement:
    raise RuntimeError("no")


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (says(Verdict.GREEN), "fails: must be red, is green"),
        (says(Verdict.RED), "is unknown: must be unverified, is red"),
        (says(Verdict.UNVERIFIED), "fails: must be red, is unverified"),
        (blind_to("schema.head"), "schema.head fails: must be red, is green"),
        (unknown_passes, "is unknown: must be unverified, is green"),
        (last_wins, "fails once and passes once: must be red, is green"),
        (raises, "is RuntimeError: no"),
    ],
)
def test_a_broken_one_is_caught(broken: Callable[..., Judgement], problem: str) -> None:
    assert any(problem in one for one in canary_problems(REQUIRED, broken))
