"""Times, days and durations as people write them in reviews, and as we write them. Pure.

A time without a zone is no time: it is None here, and whoever reads it says so.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_PART = re.compile(
    r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*"
    r"(days?|d|hours?|hrs?|h|minutes?|mins?|min|m|seconds?|secs?|sec|s)(?![a-z])",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"\A(\d{1,2}):(\d{2})(?::(\d{2})(\.\d+)?)?\Z")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}


def read_moment(text: str) -> datetime | None:
    """The UTC time of ``2026-06-21T19:29Z``, ``2026-06-21 19:29 UTC`` or one with an offset."""
    wanted = re.sub(r"\s*(UTC|GMT)\Z", "+00:00", text.strip(), flags=re.IGNORECASE)
    try:
        at = datetime.fromisoformat(wanted)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def written_in_utc(text: str) -> bool:
    """Whether the time in ``text`` says UTC, and no other offset."""
    return re.search(r"(Z|UTC|GMT|[+-]00:?00)\s*\Z", text.strip(), re.IGNORECASE) is not None


def read_day(text: str) -> date | None:
    """The day of ``2026-06-21``, ``2026/06/21``, ``21 June 2026``, ``June 21, 2026`` and
    ``21.06.2026``.

    ``06/21/2026`` and its like are None: which is the month cannot be known.
    """
    text = text.strip().strip("*_`")
    numbers = re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?", text)
    dotted = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text)
    named = re.fullmatch(
        r"(?:[A-Za-z]+day,?\s+)?(\d{1,2})(?:st|nd|rd|th)?\.?\s+([A-Za-z]{3,9})\.?,?\s+(\d{4})", text
    )
    american = re.fullmatch(r"([A-Za-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})", text)
    if numbers:
        return _day(*numbers.groups())
    if dotted:
        return _day(dotted[3], dotted[2], dotted[1])
    if named and named[2][:3].lower() in _MONTHS:
        return _day(named[3], _MONTHS[named[2][:3].lower()], named[1])
    if american and american[1][:3].lower() in _MONTHS:
        return _day(american[3], _MONTHS[american[1][:3].lower()], american[2])
    return None


def _day(year: object, month: object, day: object) -> date | None:
    try:
        return date(int(str(year)), int(str(month)), int(str(day)))
    except ValueError:
        return None


def read_clock(text: str, day: date | None) -> datetime | None:
    """The UTC time of ``19:29`` (or ``19:29:04``) on ``day``; None without a day."""
    found = _CLOCK.match(text.strip())
    if not found or day is None or int(found[1]) > 23 or int(found[2]) > 59:
        return None
    second = int(found[3] or 0)
    if second > 59:
        return None
    micro = round(float(found[4] or 0) * 1_000_000) % 1_000_000
    return datetime(day.year, day.month, day.day, int(found[1]), int(found[2]), second, micro, UTC)


def read_duration(text: str) -> float | None:
    """Seconds of ``6m``, ``about 6 minutes``, ``1 h 30 min``, ``1h05m``, ``PT6M``, ``41.2s``."""
    wanted = text.strip().lower()
    iso = re.fullmatch(r"pt?((?:\d+(?:\.\d+)?[dhms]t?)+)", wanted)
    if iso:
        wanted = iso[1].replace("t", "")
    wanted = re.sub(r"\A(about|approximately|approx\.?|roughly|circa|ca\.?|~|≈)\s*", "", wanted)
    total, end = 0.0, 0
    for part in _PART.finditer(wanted):
        if not re.fullmatch(r"\s*(,|and)?\s*", wanted[end : part.start()]):
            return None
        total += float(part[1]) * _UNITS[part[2][0]]
        end = part.end()
    if end == 0 or wanted[end:].strip(" .") or not math.isfinite(total):
        return None
    return total


def moment_text(at: datetime) -> str:
    """``at`` in UTC as front matter has it: no more digits than it needs."""
    precision = "milliseconds" if at.microsecond and not at.microsecond % 1000 else "auto"
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def duration_text(seconds: float) -> str:
    """``seconds`` as ``1h30m``; exact, so that reading it gives the same number."""
    if seconds != int(seconds) or seconds >= 1e12:
        return f"{seconds!r}s"
    rest = int(seconds)
    parts: list[str] = []
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def told(seconds: float) -> str:
    """``seconds`` for people: ``41 s``, ``6 min``, ``1 h 30 min``; below ten with tenths."""
    if seconds < 9.95:
        return f"{seconds:.1f} s" if seconds >= 0.05 else f"{seconds * 1000:.0f} ms"
    whole = timedelta(seconds=round(seconds))
    minutes, rest = divmod(int(whole.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest if not hours else 0, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)
