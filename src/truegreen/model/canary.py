"""The canary: known-bad records that a verdict function must not call green. Pure.

A run that cannot tell red from green proves nothing; so each feeds its own verdict function these
first, one record a required check and per way of being bad.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from truegreen.model.evidence import Evidence, Status
from truegreen.model.verdict import Judgement, Verdict, judge

Judge = Callable[[Iterable[Evidence], Iterable[str]], Judgement]
_AT = datetime(2026, 6, 21, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Canary:
    """A record with what it must come to."""

    name: str
    evidence: tuple[Evidence, ...]
    required: tuple[str, ...]
    expected: Verdict


def canaries(required: Iterable[str]) -> Iterator[Canary]:
    """For every required check: it fails, it is unknown, it was never asked, it fails beside a
    pass of the same check. And: nothing is required; all pass, which alone is green."""
    names = tuple(dict.fromkeys(required))
    good = {name: _evidence(name, Status.PASS) for name in names}
    for name in names:
        others = tuple(item for check, item in good.items() if check != name)
        bad = _evidence(name, Status.FAIL)
        yield Canary(f"{name} fails", (*others, bad), names, Verdict.RED)
        twice = (*others, bad, good[name])
        yield Canary(f"{name} fails once and passes once", twice, names, Verdict.RED)
        unknown = (*others, _evidence(name, Status.UNKNOWN))
        yield Canary(f"{name} is unknown", unknown, names, Verdict.UNVERIFIED)
        yield Canary(f"{name} was never asked", others, names, Verdict.UNVERIFIED)
    yield Canary("nothing is required", tuple(good.values()), (), Verdict.UNVERIFIED)
    if names:
        yield Canary("everything passes", tuple(good.values()), names, Verdict.GREEN)


def canary_problems(required: Iterable[str], verdict_of: Judge = judge) -> tuple[str, ...]:
    """What ``verdict_of`` gets wrong, one line a record; empty when it can be trusted.

    A verdict function that raises is wrong too.
    """
    problems: list[str] = []
    for canary in canaries(required):
        try:
            verdict = verdict_of(canary.evidence, canary.required).verdict
            said, code = str(verdict), verdict.exit_code
        except Exception as error:  # noqa: BLE001 - told as the problem that it is
            said, code = f"{type(error).__name__}: {error}", -1
        expected = {"green": 0, "red": 1, "unverified": 3}[canary.expected.value]
        if said != canary.expected.value or code != expected:
            problems.append(f"{canary.name}: must be {canary.expected}, is {said} (exit {code})")
    return tuple(problems)


def _evidence(check: str, status: Status) -> Evidence:
    return Evidence(check, status, "canary", "canary", "canary", _AT)
