"""The verdict: every combination of a small set, and properties beyond."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truegreen.model import CHECKS, Evidence, Status, Verdict, judge, required_checks

NOW = datetime(2026, 6, 21, 19, 35, tzinfo=UTC)
REQUIRED = ("one", "two", "three")
OPTIONAL = ("four", "five")
OUTCOMES = ("pass", "fail", "unknown", None)  # None: nobody asked


def evidence(check: str, status: str) -> Evidence:
    return Evidence(check, Status(status), "seen", "wanted", "a source", NOW)


def expected(outcomes: tuple[str | None, ...]) -> str:
    """The definition, said in another way than the code says it."""
    asked = outcomes[: len(REQUIRED)]
    if "fail" in asked:
        return "red"
    return "green" if set(asked) == {"pass"} else "unverified"


def test_every_combination_of_three_required_and_two_optional_checks() -> None:
    names = REQUIRED + OPTIONAL
    combinations = list(itertools.product(OUTCOMES, repeat=len(names)))
    assert len(combinations) == 1024
    for outcomes in combinations:
        found = [evidence(n, o) for n, o in zip(names, outcomes, strict=True) if o is not None]
        for order in (found, list(reversed(found))):
            judgement = judge(order, REQUIRED)
            assert str(judgement.verdict) == expected(outcomes), outcomes
            told = judgement.passed + judgement.failed + judgement.unknown
            assert sorted(told) == sorted(REQUIRED)


def test_nothing_asked_is_unverified() -> None:
    assert judge([], []).verdict is Verdict.UNVERIFIED
    assert judge([evidence("x", "pass")], []).verdict is Verdict.UNVERIFIED


def test_the_worst_of_several_answers_to_one_check_counts() -> None:
    both = [evidence("one", "fail"), evidence("one", "pass")]
    assert judge(both, ["one"]).verdict is Verdict.RED
    assert judge(both[::-1], ["one"]).verdict is Verdict.RED
    half = [evidence("one", "unknown"), evidence("one", "pass")]
    assert judge(half, ["one"]).verdict is Verdict.UNVERIFIED


NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f"])
EVIDENCE = st.lists(st.builds(evidence, NAMES, st.sampled_from(["pass", "fail", "unknown"])))


@given(EVIDENCE, st.sets(NAMES))
def test_green_only_with_a_pass_and_nothing_else_for_each_required_check(
    found: list[Evidence], required: set[str]
) -> None:
    green = judge(found, sorted(required)).verdict is Verdict.GREEN
    statuses = {name: {e.status for e in found if e.check == name} for name in required}
    assert green == (bool(required) and all(s == {Status.PASS} for s in statuses.values()))


@given(EVIDENCE, st.sets(NAMES, min_size=1), st.randoms(use_true_random=False))
def test_order_does_not_matter_and_more_evidence_never_makes_it_better(
    found: list[Evidence], required: set[str], random: object
) -> None:
    rank = {Verdict.GREEN: 0, Verdict.UNVERIFIED: 1, Verdict.RED: 2}
    base = judge(found, required)
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert judge(shuffled, required).verdict is base.verdict
    answered = {e.check for e in found}
    if required <= answered:
        for name in required:
            for status in ("fail", "unknown"):
                worse = judge([*found, evidence(name, status)], required)
                assert rank[worse.verdict] >= rank[base.verdict]


def test_exit_codes_are_the_contract() -> None:
    assert [v.exit_code for v in (Verdict.GREEN, Verdict.RED, Verdict.UNVERIFIED)] == [0, 1, 3]


def test_required_checks_leave_out_what_is_optional_and_refuse_unknown_names() -> None:
    assert required_checks() == tuple(c.name for c in CHECKS if c.asked)
    assert "schema.head" not in required_checks(["schema.head"])
    with pytest.raises(KeyError, match=r"schema\.heads"):
        required_checks(["schema.heads"])


def test_evidence_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        Evidence("a", Status.PASS, "", "", "", datetime(2026, 6, 21, 19, 35))
