"""How times, spans and commits are written on a page. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

_SIZES = ((86_400, "d"), (3600, "h"), (60, "min"))


def span(seconds: float) -> str:
    """A length of time in one fitting unit: ``0.4 s``, ``12 s``, ``3 min``, ``5 h``, ``2 d``."""
    for size, unit in _SIZES:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    if seconds < 0.05:
        return "< 0.1 s"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def age(then: datetime, now: datetime) -> str:
    """How long ago; a clock that was set back is no time in the future."""
    seconds = (now - then).total_seconds()
    return "just now" if seconds < 10 else f"{span(seconds)} ago"


def clock(moment: datetime) -> str:
    """A time of day in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%H:%M:%S")


def day(moment: datetime) -> str:
    """A day and a time, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
