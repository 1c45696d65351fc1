"""Wall-clock time in an IANA zone as instants. Pure.

Windows are compared as UTC instants, because same-zone datetimes that differ only in ``fold``
compare equal. Where the clock is turned, one wall-clock time has two readings (PEP 495): it comes
twice in autumn, and in spring, when it does not exist, it is the reading with the offset before or
after the change. A deny window begins at the earlier and ends at the later reading, an allow window
the other way round: when in doubt, shut.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Files in a machine's zone folder whose meaning is that machine's own, or none at all.
_NOT_ZONES = frozenset({"localtime", "posixrules", "Factory"})


def zone_of(name: str) -> ZoneInfo:
    """The IANA zone called ``name``. Raises ValueError for one that is not known."""
    try:
        if name in _NOT_ZONES:
            raise ZoneInfoNotFoundError(name)
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not a known time zone") from error


def readings(wall: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """Both PEP 495 readings of a wall-clock time, in UTC; the same twice almost always. Raises
    OverflowError at the ends of time."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, second


def span(start: datetime, end: datetime, zone: tzinfo, kind: str) -> tuple[datetime, datetime]:
    """The wall-clock span from ``start`` to ``end`` in UTC, of a window of ``kind``. Empty when it
    ends before it starts, as an allow window on times that are in doubt may."""
    starts, ends = readings(start, zone), readings(end, zone)
    if kind == "deny":
        return min(starts), max(ends)
    return max(starts), min(ends)
