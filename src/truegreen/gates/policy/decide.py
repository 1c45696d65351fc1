"""The policy gate's decision, from what each condition came to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from truegreen.gates.policy.expression import Outcome
from truegreen.gates.result import Finding, GateResult
from truegreen.model import Status

NAME = "policy"
_MARKS = {Status.PASS: "holds  ", Status.FAIL: "denies ", Status.UNKNOWN: "unknown"}


def decide(
    outcomes: Sequence[Outcome], now: datetime, *, source: str, dry_run: bool = False
) -> GateResult:
    """Open when every condition holds. ``dry_run``: told, and open whatever they came to."""
    wrong = [one for one in outcomes if one.status is not Status.PASS]
    denying = [one for one in wrong if one.status is Status.FAIL]
    status = Status.FAIL if denying else Status.UNKNOWN if wrong else Status.PASS
    shown = denying or wrong
    if shown:
        reason = "; ".join(_told(one) for one in shown)
    elif outcomes:
        reason = f"{len(outcomes)} of {len(outcomes)} conditions hold"
    else:
        reason = "no policy conditions are configured for this"
    if dry_run and wrong:
        status, reason = Status.PASS, f"dry run (policy.mode is report): {reason}"
    clears = ""
    if status is not Status.PASS:
        names = ", ".join(repr(one.condition.name) for one in shown)
        clears = (
            f"make {names} hold (truegreen gate policy --explain shows with which values), or "
            "override it: truegreen ship --override policy --reason … --ticket … --until …"
        )
    findings = tuple(
        Finding(
            "condition",
            one.condition.name,
            f"{one.condition.holds}: {one.why}",
            blocks=not dry_run,
        )
        for one in wrong
    )
    detail = {"dry_run": dry_run, "conditions": [one.as_json() for one in outcomes]}
    return GateResult(NAME, status, reason, now, clears, findings, source, detail, _lines(outcomes))


def _told(outcome: Outcome) -> str:
    why = f" ({outcome.condition.reason})" if outcome.condition.reason else ""
    return f"{outcome.condition.name!r}{why} {outcome.why}: {outcome.condition.holds}"


def _lines(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    lines: list[str] = []
    for one in outcomes:
        lines.append(
            f"{_MARKS[one.status]} {one.condition.name}: {' '.join(one.condition.holds.split())}"
        )
        lines += [f"        {path} = {value}" for path, value in one.used]
        if one.status is not Status.PASS:
            lines.append(f"        {one.why}")
    return tuple(lines)
