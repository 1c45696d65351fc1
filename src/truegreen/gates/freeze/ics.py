"""The events of an iCalendar file (RFC 5545) as windows.

``icalendar`` reads the file and ``recurring-ical-events`` repeats the events (RRULE, RDATE, EXDATE,
overridden and cancelled occurrences). Both go on silently where something is off: an event that
cannot be read is left out, a zone that is not known becomes no zone, an end before the start is
turned round, of two events with one UID one is dropped. Here each of these is an error with its
line, because a freeze that was not read must not open the gate.

Ends are as every calendar shows them, by the wall clock. A DURATION that crosses a change of the
clock has two readings, as long on the wall or as long in hours (the RFC wants the second for hours,
the library gives the first): a deny window takes the longer, an allow window the shorter.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from fnmatch import fnmatchcase
from typing import Any

from truegreen.config.model import FreezeCalendar
from truegreen.errors import ConfigError
from truegreen.gates.freeze.clock import readings
from truegreen.gates.freeze.rules import known_zone
from truegreen.gates.freeze.window import Window

_SLACK = timedelta(days=3)
_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")
_MOST = 20_000  # occurrences of one file within the time that is looked at
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, IndexError)


def windows_of(rule: FreezeCalendar, text: str, first: datetime, last: datetime) -> list[Window]:
    """The events in ``text`` that ``rule.summary`` fits and that touch the time from ``first`` to
    ``last`` (with zones). Raises ConfigError with file, line and property."""
    from icalendar import Calendar
    from recurring_ical_events import of

    places = _Places(str(rule.path), text)
    zone = known_zone(rule.zone, rule.file, f"{rule.key}.zone")
    try:
        calendars = Calendar.from_ical(text, multiple=True)
    except _UNREADABLE as error:
        raise places.whole(error) from error
    if not calendars or any(one.name != "VCALENDAR" for one in calendars):
        raise ConfigError(str(rule.path), "", "holds no VCALENDAR", fix="export it as iCalendar")
    index = 0
    found: list[Window] = []
    for calendar in calendars:
        if calendar.errors:
            raise places.whole(ValueError(_first(calendar.errors)))
        by_hours: set[str] = set()
        seen: set[tuple[str, ...]] = set()
        for event in calendar.walk("VEVENT"):
            _check(event, index, places)
            identity = tuple(_raw(event, one) for one in ("UID", "RECURRENCE-ID", "SEQUENCE"))
            if identity in seen:
                told = "another event has it too, and only one of them would be read"
                raise places.error(index, "UID", told)
            seen.add(identity)
            if "DURATION" in event:
                by_hours.add(str(event.get("UID", "")))
            index += 1
        try:
            occurrences = of(calendar).between(first - _SLACK, last + _SLACK)
        except _UNREADABLE as error:
            raise places.whole(error) from error
        if len(occurrences) > _MOST:
            raise ConfigError(str(rule.path), "", f"has more than {_MOST} events in this time")
        for event in occurrences:
            if str(event.get("STATUS", "")).upper() == "CANCELLED":
                continue
            if not fnmatchcase(str(event.get("SUMMARY", "")), rule.summary):
                continue
            window = _window(event, rule, zone, by_hours)
            if window.end >= first and window.start <= last:
                found.append(window)
    return sorted(found, key=lambda one: (one.start, one.end))


def _raw(event: Any, name: str) -> str:
    value = event.get(name)
    return "" if value is None else str(value.to_ical())


def _check(event: Any, index: int, places: _Places) -> None:
    """Raises ConfigError for what the libraries would pass over."""
    if event.errors:
        name, problem = event.errors[0]
        raise places.error(index, str(name or ""), str(problem))
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
        value = event.get(name)
        if value is None:
            continue
        try:
            moment = value.dt
        except _UNREADABLE as error:
            raise places.error(index, name, str(error)) from error
        zone = value.params.get("TZID")
        if zone and isinstance(moment, datetime) and moment.tzinfo is None:
            raise places.error(index, name, f"{zone!r} is not a known time zone")
    if "DTSTART" not in event:
        raise places.error(index, "DTSTART", "is missing")
    start = event["DTSTART"].dt
    if "DTEND" in event:
        _check_order(start, event["DTEND"].dt, index, places)
    elif "DURATION" not in event and isinstance(start, datetime):
        raise places.error(index, "DTEND", "is missing, and so is DURATION: it takes no time")
    elif "DURATION" in event and event["DURATION"].dt <= timedelta():
        raise places.error(index, "DURATION", "is not above nothing")
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        told = str((rule.get("FREQ") or [""])[0])
        if told not in _FREQUENCIES:
            raise places.error(index, "RRULE", f"FREQ={told}: one of {', '.join(_FREQUENCIES)}")
        if any(number < 1 for number in rule.get("INTERVAL", ())):
            raise places.error(index, "RRULE", "INTERVAL is below 1")
        if any(name in rule for name in ("BYHOUR", "BYMINUTE", "BYSECOND")):
            raise places.error(index, "RRULE", "a time of day has no place in it: DTSTART says it")


def _check_order(start: date, end: date, index: int, places: _Places) -> None:
    if isinstance(start, datetime) != isinstance(end, datetime):
        raise places.error(index, "DTEND", "is a day and DTSTART a time, or the other way round")
    try:
        in_order = start < end
    except TypeError as error:
        told = "has a zone and DTSTART none, or the other way round"
        raise places.error(index, "DTEND", told) from error
    if not in_order:
        raise places.error(index, "DTEND", f"{end} is not after {start}")


def _window(event: Any, rule: FreezeCalendar, zone: tzinfo, by_hours: set[str]) -> Window:
    start, start_zone = _wall(event["DTSTART"].dt, zone)
    end, end_zone = _wall(event["DTEND"].dt, zone)
    starts, ends = readings(start, start_zone), list(readings(end, end_zone))
    if str(event.get("UID", "")) in by_hours:
        ends += [moment + (end - start) for moment in starts]
    deny = rule.kind == "deny"
    return Window(
        name=str(event.get("SUMMARY", "")) or "(no summary)",
        kind=rule.kind,
        start=min(starts) if deny else max(starts),
        end=max(ends) if deny else min(ends),
        zone=getattr(end_zone, "key", None) or str(end_zone),
        local_end=end,
        reason=rule.reason or " ".join(str(event.get("DESCRIPTION", "")).split())[:200],
        place=rule.path.name,
        scope=rule.scope,
    )


def _wall(moment: date, zone: tzinfo) -> tuple[datetime, tzinfo]:
    """What the clock shows, and where it hangs."""
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time()), zone
    if moment.tzinfo is None:
        return moment, zone
    return moment.replace(tzinfo=None), moment.tzinfo or UTC


def _first(errors: Sequence[tuple[Any, Any]]) -> str:
    name, problem = errors[0]
    return f"{name}: {problem}" if name else str(problem)


class _Places:
    """The lines of the events and their properties, which the libraries do not keep."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._lines: list[tuple[int, str]] = []  # number, unfolded
        for number, line in enumerate(text.splitlines(), start=1):
            if line[:1] in (" ", "\t") and self._lines:
                first, so_far = self._lines[-1]
                self._lines[-1] = (first, so_far + line[1:])
            else:
                self._lines.append((number, line))
        self._events: list[dict[str, int]] = []
        inside: dict[str, int] | None = None
        for number, line in self._lines:
            word = line.strip().upper()
            if word == "BEGIN:VEVENT":
                inside = {"": number}
                self._events.append(inside)
            elif word == "END:VEVENT":
                inside = None
            elif inside is not None:
                inside.setdefault(word.split(":")[0].split(";")[0], number)

    def error(self, index: int, name: str, problem: str) -> ConfigError:
        """What is wrong with a property of the event number ``index``, from 0."""
        known = self._events[index] if index < len(self._events) else {}
        line = known.get(name, known.get(""))
        key = f"VEVENT.{name}" if name else "VEVENT"
        return ConfigError(self._file, key, _short(problem), line=line)

    def whole(self, error: Exception) -> ConfigError:
        """What is wrong with the file; the line that the message cites, where it cites one."""
        told = str(error)
        line = next(
            (number for number, line in self._lines if line.strip() and f"'{line}'" in told), None
        )
        return ConfigError(
            self._file, "", f"is not a calendar that can be read: {_short(told)}", line=line
        )


def _short(text: str) -> str:
    told = " ".join(text.split())
    return told if len(told) <= 200 else told[:199] + "…"
