"""The verdict: a pure function of the evidence and of which checks are required."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from truegreen.model.evidence import Evidence, Status


class Verdict(StrEnum):
    """What is true of a release."""

    GREEN = "green"
    RED = "red"
    UNVERIFIED = "unverified"

    @property
    def exit_code(self) -> int:
        """0 green, 1 red, 3 unverified: the command line's contract."""
        return {"green": 0, "red": 1, "unverified": 3}[self.value]


class Judgement(NamedTuple):
    """A verdict with what it rests on: check names by what the evidence says of them."""

    verdict: Verdict
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    unknown: tuple[str, ...]  # required checks without an answer, those never asked included


def judge(evidence: Iterable[Evidence], required: Iterable[str]) -> Judgement:
    """The verdict of ``evidence``, given the names of the ``required`` checks.

    Green needs passing evidence for every required check. Red: at least one required check fails.
    Unverified: none fails and at least one has no answer. Several answers to one check count as
    their worst (fail, then unknown, then pass). Optional checks are shown, and never weigh. No
    required checks at all is unverified: nothing was asked, so nothing is known.
    """
    worst: dict[str, Status] = {}
    for item in evidence:
        worst[item.check] = _worse(worst.get(item.check), item.status)
    names = tuple(dict.fromkeys(required))
    by_status: dict[Status, list[str]] = {status: [] for status in Status}
    for name in names:
        by_status[worst.get(name, Status.UNKNOWN)].append(name)
    if by_status[Status.FAIL]:
        verdict = Verdict.RED
    elif by_status[Status.UNKNOWN] or not names:
        verdict = Verdict.UNVERIFIED
    else:
        verdict = Verdict.GREEN
    return Judgement(
        verdict=verdict,
        passed=tuple(by_status[Status.PASS]),
        failed=tuple(by_status[Status.FAIL]),
        unknown=tuple(by_status[Status.UNKNOWN]),
    )


_RANK = {Status.PASS: 0, Status.UNKNOWN: 1, Status.FAIL: 2}


def _worse(one: Status | None, other: Status) -> Status:
    return other if one is None or _RANK[other] > _RANK[one] else one
