"""The freeze calendar as text, from its JSON: months in weeks, and what closes each day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
LEGEND = "12  open    12# closed    12+ closed for a part    [12] today"


def share_closed(day: Mapping[str, Any]) -> float:
    """How much of a day is closed, from 0 to 1."""
    return float(sum(end - start for start, end in day["closed"]))


def months_of(days: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """(``March 2027``, its days) for each month."""
    for (year, month), group in groupby(days, key=lambda one: _year_month(str(one["date"]))):
        yield f"{MONTHS[month - 1]} {year}", list(group)


def calendar_lines(view: Mapping[str, Any]) -> list[str]:
    """The calendar, a line each."""
    lines = [f"{view['zone']}    {LEGEND}"]
    for name, days in months_of(view["days"]):
        lines += ["", name, " ".join(f"{one:<4}" for one in WEEKDAYS).rstrip()]
        week = ["    "] * date.fromisoformat(str(days[0]["date"])).weekday()
        for day in days:
            week.append(_cell(day, str(view["today"])))
            if len(week) == 7:
                lines.append(" ".join(week).rstrip())
                week = []
        if week:
            lines.append(" ".join(week).rstrip())
    lines += ["", *window_lines(view["windows"])]
    return lines


def window_lines(windows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The windows, a line each; one that comes again and again only once, with how often."""
    kinds: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for one in windows:
        key = (str(one["kind"]), str(one["name"]), str(one["reason"]))
        kinds.setdefault(key, []).append(one)
    lines = []
    for same in kinds.values():
        again = f", and {len(same) - 1} more" if len(same) > 1 else ""
        lines.append(window_line(same[0]) + again)
    return lines


def window_line(window: Mapping[str, Any]) -> str:
    """One window: kind, from, to, name, reason."""
    reason = f"  ({window['reason']})" if window["reason"] else ""
    start, end = window.get("local") or (_minute(window["start"]), _minute(window["end"]))
    return f"{window['kind']:<5}  {start}  to  {end}  {window['name']}{reason}"


def _minute(stamp: object) -> str:
    return f"{str(stamp)[:16]}Z"


def _cell(day: Mapping[str, Any], today: str) -> str:
    number = str(int(str(day["date"])[8:]))
    share = share_closed(day)
    mark = "#" if share >= 0.9999 else "+" if share > 0 else ""
    text = f"[{number}]{mark}" if day["date"] == today else f"{number}{mark}"
    return f"{text:<4}"


def _year_month(day: str) -> tuple[int, int]:
    return int(day[:4]), int(day[5:7])
