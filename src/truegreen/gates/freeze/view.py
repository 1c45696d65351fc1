"""A stretch of the calendar as a reader wants it: days, how much of each is closed, and by what.

Pure: gives JSON values, from which the outputs draw. Days are those of one zone; a day on which the
clock is turned has 23 or 25 hours, and its parts are parts of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from truegreen.gates.freeze.clock import readings
from truegreen.gates.freeze.window import Interval, Window, closed_times

_DAY = timedelta(days=1)


def view(
    windows: Sequence[Window], zone: ZoneInfo, first: date, last: date, now: datetime
) -> dict[str, Any]:
    """The days from ``first`` to ``last``, both included. ``windows`` are those that concern what
    would be shipped; ``now`` is marked where it lies among them."""
    begin, end = _midnight(first, zone), _midnight(last + _DAY, zone)
    closed = closed_times(windows, begin, end)
    touching = [one for one in windows if one.start < end and one.end > begin]
    days = []
    day = first
    while day <= last:
        start, stop = _midnight(day, zone), _midnight(day + _DAY, zone)
        days.append(_day(day, start, stop, closed, touching))
        day += _DAY
    return {
        "zone": str(zone),
        "from": first.isoformat(),
        "to": last.isoformat(),
        "today": now.astimezone(zone).date().isoformat(),
        "days": days,
        "windows": [{**one.as_json(), "local": _local(one, zone)} for one in touching],
    }


def _local(window: Window, zone: ZoneInfo) -> list[str]:
    """Start and end as the clock in ``zone`` shows them."""
    return [one.astimezone(zone).strftime("%Y-%m-%d %H:%M") for one in (window.start, window.end)]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return min(readings(datetime.combine(day, time()), zone))


def _day(
    day: date,
    start: datetime,
    stop: datetime,
    closed: Sequence[Interval],
    windows: Sequence[Window],
) -> dict[str, Any]:
    parts = [
        [_share(max(begin, start), start, stop), _share(min(end, stop), start, stop)]
        for begin, end in closed
        if begin < stop and end > start
    ]
    names = [one.name for one in windows if one.start < stop and one.end > start]
    return {
        "date": day.isoformat(),
        "hours": (stop - start) / timedelta(hours=1),
        "closed": parts,
        "names": list(dict.fromkeys(names)),
    }


def _share(moment: datetime, start: datetime, stop: datetime) -> float:
    return round((moment - start) / (stop - start), 6)


def coming(windows: Sequence[Window], now: datetime, most: int) -> list[dict[str, Any]]:
    """The next ``most`` windows that hold or begin after ``now``, with whether they hold."""
    ahead = [one for one in windows if one.end > now][:most]
    return [{**one.as_json(), "holds": one.holds(now), "in": _in(one, now)} for one in ahead]


def _in(window: Window, now: datetime) -> float:
    return max(0.0, round((window.start - now).total_seconds(), 3))
