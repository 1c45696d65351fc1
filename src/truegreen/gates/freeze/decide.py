"""The freeze gate's decision: may anything be shipped at this moment? Pure: values in, an answer
out. Deny wins over allow; with any allow window, everything outside of those is denied.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from truegreen.gates.freeze.calendar import Calendar
from truegreen.gates.freeze.runway import Runway, minutes
from truegreen.gates.freeze.window import Subject, Window, closed_times, next_gap
from truegreen.gates.result import Finding, GateResult
from truegreen.model import Status, stamp

NAME = "freeze"
_NOTHING = timedelta()


def decide(calendar: Calendar, subject: Subject, now: datetime, needs: Runway) -> GateResult:
    """Whether ``subject`` may be shipped at ``now`` (with a zone), and be done before it may not.

    Raises ValueError for a naive ``now``, and for one that the calendar was not read for.
    """
    if now.tzinfo is None:
        raise ValueError("a time without a zone cannot be compared")
    moment = now.astimezone(UTC)
    if not calendar.first <= moment < calendar.last:
        raise ValueError("the calendar was read for another time")
    windows = calendar.about(subject)
    closed = closed_times(windows, calendar.first, calendar.last)
    opens = next_gap(closed, moment, needs.length, calendar.last)
    shuts = next((start for start, end in closed if end > moment), None)
    detail = {
        "windows": [one.as_json() for one in windows if one.holds(moment)],
        "next": next((one.as_json() for one in windows if one.start > moment), None),
        "open_until": stamp(shuts) if shuts is not None and shuts > moment else None,
        "opens": stamp(opens) if opens is not None else None,
        "runway": needs.as_json(),
        "sources": [one.as_json() for one in calendar.sources],
        "windows_known": len(windows),
        "read_until": stamp(calendar.last),
    }
    status, reason, why = _answer(windows, moment, shuts, needs)
    clears = "" if status is Status.PASS else _clears(opens, calendar, moment)
    return GateResult(
        NAME,
        status,
        reason,
        moment,
        clears,
        tuple(_finding(one) for one in why),
        ", ".join(one.file for one in calendar.sources),
        detail,
        _explained(windows, moment, needs),
    )


def _answer(
    windows: Sequence[Window], moment: datetime, shuts: datetime | None, needs: Runway
) -> tuple[Status, str, Sequence[Window]]:
    holding = [one for one in windows if one.holds(moment)]
    denying = [one for one in holding if one.kind == "deny"]
    if denying:
        last = max(denying, key=lambda one: one.end)
        return Status.FAIL, f"the freeze {last.told} holds until {last.told_end}", denying
    allows = [one for one in windows if one.kind == "allow"]
    inside = next((one for one in holding if one.kind == "allow"), None)
    if allows and inside is None:
        coming = [one for one in allows if one.start > moment][:3]
        told = f"{stamp(moment)} lies in none of the allow windows"
        return Status.FAIL, told, coming or allows[-3:]
    if shuts is not None and shuts - moment < needs.length:
        return _too_late(windows, moment, shuts, needs)
    if inside is not None:
        return Status.PASS, f"the allow window {inside.told} is open until {inside.told_end}", ()
    if not windows:
        return Status.PASS, "no freeze windows are configured for this", ()
    ahead = f"; the next begins in {minutes(shuts - moment)}" if shuts is not None else ""
    return Status.PASS, f"{stamp(moment)} lies in none of the freeze windows{ahead}", ()


def _too_late(
    windows: Sequence[Window], moment: datetime, shuts: datetime, needs: Runway
) -> tuple[Status, str, Sequence[Window]]:
    left = minutes(shuts - moment)
    begins = [one for one in windows if one.kind == "deny" and one.start == shuts]
    what = f"the freeze {begins[0].told} begins" if begins else "the allow window ends"
    told = f"{what} in {left} ({stamp(shuts)}), and {needs.told}"
    return Status.FAIL, told, begins or [w for w in windows if w.end == shuts]


def _clears(opens: datetime | None, calendar: Calendar, moment: datetime) -> str:
    override = "or override it: truegreen ship --override freeze --reason … --ticket … --until …"
    if opens is None:
        left = minutes(calendar.last - moment)
        return f"nothing opens it by itself within {left}: change the calendar, {override}"
    return f"wait until {stamp(opens)} (truegreen freeze next), {override}"


def _finding(window: Window) -> Finding:
    told = f"{stamp(window.start)} to {stamp(window.end)}: {window.reason or 'no reason given'}"
    return Finding(window.kind, window.name, told)


def _explained(windows: Sequence[Window], moment: datetime, needs: Runway) -> tuple[str, ...]:
    near = [one for one in windows if one.end > moment][:10]
    return (
        needs.told,
        *(
            f"{'holds ' if one.holds(moment) else 'comes '} {one.kind:<5} "
            f"{stamp(one.start)} to {stamp(one.end)}  {one.name}  ({one.place})"
            for one in near
        ),
    )
