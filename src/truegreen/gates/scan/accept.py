"""Takes findings on: writes them into the suppressions file, one or all (a baseline)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from truegreen.errors import UsageError
from truegreen.gates.scan import suppressions
from truegreen.gates.scan.judge import Weighed
from truegreen.gates.scan.suppressions import Suppression
from truegreen.gates.scan.survey import Survey


def chosen(survey: Survey, places: Iterable[str]) -> tuple[Weighed, ...]:
    """The hits of ``survey`` that block and stand at ``places`` (``path:line:column`` or a
    fingerprint). Raises UsageError for a place where there is none."""
    found: list[Weighed] = []
    for place in places:
        there = [one for one in survey.blocking if place in (one.where, one.fingerprint)]
        if not there:
            raise UsageError(
                f"nothing that blocks stands at {place!r}",
                hint="a place as truegreen scan prints it, e.g. data/people.csv:2:4",
            )
        found += there
    return tuple(found)


def accept(survey: Survey, hits: Iterable[Weighed], *, reason: str, owner: str, until: date) -> int:
    """Suppresses ``hits`` of ``survey`` through the day ``until``; gives how many were new.

    Raises UsageError without a reason or an owner, and what ``suppressions.add`` raises.
    """
    if not reason.strip() or not owner.strip():
        raise UsageError("a suppression needs a reason and an owner", hint="--reason … --owner …")
    wanted: dict[str, Suppression] = {}
    for one in hits:
        entry = Suppression(one.fingerprint, reason, owner, until, one.kind, one.path)
        wanted.setdefault(one.fingerprint, entry)
    return suppressions.add(survey.file, survey.key, wanted.values())
