"""Overrides: of one gate and one commit, with a reason and an end; evidence is never overridden."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from truegreen.errors import UsageError
from truegreen.gates.override import Override, from_json, given, weigh
from truegreen.gates.result import GateResult
from truegreen.model import Status

NOW = datetime(2026, 12, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
COMMIT = "c" * 40
KNOWN = ("freeze", "scan")


def override(**changed: Any) -> Override:
    values: dict[str, Any] = {
        "gate": "freeze", "app": "shop", "commit": COMMIT, "reason": "a fix", "ticket": "T-1",
        "by": "ann", "at": NOW, "until": NOW + HOUR,
    }  # fmt: skip
    return Override(**{**values, **changed})


def result(name: str = "freeze", status: Status = Status.FAIL) -> GateResult:
    return GateResult(name, status, "because", NOW)


def ask(gates: tuple[str, ...] = ("freeze",), **changed: Any) -> tuple[Override, ...]:
    values: dict[str, Any] = {
        "app": "shop", "commit": COMMIT, "reason": "a fix", "ticket": "T-1",
        "until": NOW + HOUR, "by": "ann", "now": NOW,
    }  # fmt: skip
    return given(gates, KNOWN, **{**values, **changed})


def test_a_whole_override_is_taken_and_once_for_each_gate() -> None:
    assert ask() == (override(),)
    assert [one.gate for one in ask(("scan", "freeze", "scan"))] == ["scan", "freeze"]
    assert ask((), reason="", ticket="", until=None) == ()


@pytest.mark.parametrize(
    ("gates", "changed", "says"),
    [
        (("fridge",), {}, "no such gate (one of freeze, scan)"),
        (("health.edge",), {}, "health.edge is a check, and evidence cannot be overridden"),
        (("schema.head",), {}, "evidence cannot be overridden"),
        (("freeze",), {"reason": " "}, "--override needs --reason"),
        (("freeze",), {"ticket": ""}, "--override needs --ticket"),
        (("freeze",), {"until": None}, "--override needs --until"),
        (("freeze",), {"until": NOW}, "is past"),
        (("freeze",), {"until": NOW + timedelta(days=8)}, "further away than 7 days"),
        ((), {}, "belong to an override"),
    ],
)
def test_half_an_override_is_refused_before_anything_is_done(
    gates: tuple[str, ...], changed: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError) as caught:
        ask(gates, **changed)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "opens"),
    [
        ({}, True),
        ({"gate": "scan"}, False),
        ({"commit": "d" * 40}, False),
        ({"app": "other"}, False),
        ({"until": NOW}, False),
        ({"at": NOW + HOUR, "until": NOW + 2 * HOUR}, False),
    ],
)
def test_it_opens_its_own_gate_for_its_own_commit_until_its_end(
    changed: dict[str, Any], opens: bool
) -> None:
    weighed = weigh([result()], [override(**changed)], app="shop", commit=COMMIT, now=NOW)
    assert (weighed.shut == ()) == opens
    assert len(weighed.used) == opens


def test_an_open_gate_uses_no_override_up_and_another_shut_gate_stays_shut() -> None:
    answers = [result(status=Status.PASS), result("scan"), result("policy", Status.UNKNOWN)]
    both = [override(), override(gate="policy")]
    weighed = weigh(answers, both, app="shop", commit=COMMIT, now=NOW)
    assert [one.gate for one in weighed.used] == ["policy"]
    assert [one.name for one in weighed.shut] == ["scan"]
    assert weighed.told == "freeze open, scan shut, policy OVERRIDDEN"
    assert weighed.refusal == "gate scan: because"


def test_an_override_comes_back_from_its_record_and_nothing_else_does() -> None:
    assert from_json(override().as_json()) == override()
    assert from_json({"kind": "rewind", "reason": "x"}) is None
    assert from_json({"kind": "gate"}) is None
    assert from_json({**override().as_json(), "until": "soon"}) is None
