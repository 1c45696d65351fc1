"""Windows that are written in TOML, once or with an RRULE, as the occurrences of a stretch of time.

A rule repeats wall-clock times: each occurrence starts and ends as the clock on the wall shows it,
so 22:00 to 06:00 is nine hours in the night in which the clock is turned back.
"""

from __future__ import annotations

import calendar
import difflib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from truegreen.config.model import FreezeWindow
from truegreen.errors import ConfigError
from truegreen.gates.freeze.clock import span, zone_of
from truegreen.gates.freeze.window import Window

_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")
# part -> the values it takes, as whole numbers; None: not a list of numbers
_PARTS: Mapping[str, tuple[int, int] | None] = {
    "FREQ": None,
    "UNTIL": None,
    "BYDAY": None,
    "WKST": None,
    "INTERVAL": (1, 1000),
    "COUNT": (1, 100_000),
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366),
    "BYEASTER": (-366, 366),  # dateutil's own: days after Easter Sunday
}
_TIMES = ("BYHOUR", "BYMINUTE", "BYSECOND")
_SLACK = timedelta(days=2)  # more than any zone is from another, or any clock is turned


def windows_of(rule: FreezeWindow, first: datetime, last: datetime) -> Iterator[Window]:
    """The occurrences of ``rule`` that touch the time from ``first`` to ``last`` (with zones), in
    order of their local start.

    Raises ConfigError for a zone that is not known, a rule that means nothing, or a time out of
    range.
    """
    zone = known_zone(rule.zone, rule.file, f"{rule.key}.zone")
    length = rule.end - rule.start
    try:
        for start in _starts(rule, zone, first, last, length):
            begins, ends = span(start, start + length, zone, rule.kind)
            if ends >= first and begins <= last:
                yield Window(
                    name=rule.name,
                    kind=rule.kind,
                    start=begins,
                    end=ends,
                    zone=rule.zone,
                    local_end=start + length,
                    reason=rule.reason,
                    place=f"{Path(rule.file).name}: {rule.key}",
                    scope=rule.scope,
                )
    except OverflowError as error:
        raise ConfigError(
            rule.file,
            rule.key,
            f"{rule.start} to {rule.end} is out of range",
            fix="years 2 to 9998",
        ) from error


def known_zone(name: str, file: str, key: str) -> ZoneInfo:
    """``zone_of``, with the place of the name in the error."""
    try:
        return zone_of(name)
    except ValueError as error:
        fix = "an IANA name such as Europe/Berlin, America/New_York or UTC"
        raise ConfigError(file, key, str(error), fix=fix) from error


def _starts(
    rule: FreezeWindow, zone: ZoneInfo, first: datetime, last: datetime, length: timedelta
) -> Iterator[datetime]:
    if not rule.rrule:
        yield rule.start
        return
    from dateutil.rrule import rrulestr

    text = _checked(rule, zone)
    repeated = rrulestr(text, dtstart=rule.start)
    if next(iter(repeated), None) != rule.start:
        raise _wrong(rule, f"does not fit its own start, {rule.start}", "move start, or the rule")
    begin = first.astimezone(UTC).replace(tzinfo=None) - length - _SLACK
    end = last.astimezone(UTC).replace(tzinfo=None) + _SLACK
    for start in repeated.between(begin, end, inc=True):
        if start.date() not in rule.skip:
            yield start


def _checked(rule: FreezeWindow, zone: ZoneInfo) -> str:
    """The rule's text in dateutil's form, once every part of it has been looked at."""
    parts: dict[str, str] = {}
    for part in rule.rrule.upper().split(";"):
        name, equals, value = part.strip().partition("=")
        if not equals or not value:
            raise _wrong(rule, f"{part!r} is not NAME=VALUE", "FREQ=WEEKLY;BYDAY=FR")
        if name in _TIMES:
            raise _wrong(rule, f"{name} has no place here", "start and end say the time of day")
        if name not in _PARTS:
            near = difflib.get_close_matches(name, _PARTS, n=1, cutoff=0.5)
            fix = f"did you mean {near[0]}?" if near else "known: " + ", ".join(_PARTS)
            raise _wrong(rule, f"{name} is not known", fix)
        if name in parts:
            raise _wrong(rule, f"{name} stands in it twice", "write it once")
        parts[name] = value
        _check_numbers(rule, name, value)
    if parts.get("FREQ") not in _FREQUENCIES:
        told = parts.get("FREQ", "nothing")
        raise _wrong(rule, f"FREQ is {told}", "one of " + ", ".join(_FREQUENCIES))
    if "COUNT" in parts and "UNTIL" in parts:
        raise _wrong(rule, "has both COUNT and UNTIL", "only one of them ends a rule")
    if parts.get("UNTIL", "").endswith("Z"):
        parts["UNTIL"] = _local_until(rule, parts["UNTIL"], zone)
    _check_days_exist(rule, parts)
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    from dateutil.rrule import rrulestr

    try:
        rrulestr(text, dtstart=rule.start)
    except (ValueError, TypeError, AttributeError) as error:
        raise _wrong(rule, str(error), "RFC 5545, e.g. FREQ=WEEKLY;BYDAY=FR") from error
    return text


def _check_numbers(rule: FreezeWindow, name: str, value: str) -> None:
    limits = _PARTS[name]
    if limits is None:
        return
    for item in value.split(","):
        try:
            number = int(item)
        except ValueError as error:
            raise _wrong(rule, f"{name}={item} is not a whole number", "") from error
        if not limits[0] <= number <= limits[1] or (number == 0 and name != "BYEASTER"):
            raise _wrong(rule, f"{name}={item} is out of range", f"{limits[0]} to {limits[1]}")


def _check_days_exist(rule: FreezeWindow, parts: Mapping[str, str]) -> None:
    """A day that no month has would be looked for to the end of time."""
    if "BYMONTH" not in parts or "BYMONTHDAY" not in parts:
        return
    days = [abs(int(day)) for day in parts["BYMONTHDAY"].split(",")]
    longest = max(calendar.monthrange(2024, int(one))[1] for one in parts["BYMONTH"].split(","))
    if min(days) > longest:
        raise _wrong(rule, "names a day that none of its months has", "correct BYMONTHDAY")


def _local_until(rule: FreezeWindow, until: str, zone: ZoneInfo) -> str:
    try:
        moment = datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise _wrong(rule, f"UNTIL={until} is not a time", "UNTIL=20271231T230000Z") from error
    return moment.astimezone(zone).strftime("%Y%m%dT%H%M%S")


def _wrong(rule: FreezeWindow, problem: str, fix: str) -> ConfigError:
    return ConfigError(rule.file, f"{rule.key}.rrule", f"{rule.rrule!r}: {problem}", fix=fix)
