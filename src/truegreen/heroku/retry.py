"""When to ask again and when to stop: deadlines, backoff with jitter, Retry-After. No I/O here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# A server that asks for more than this is asking us to give up.
LONGEST_RETRY_AFTER = 3600.0


class Deadline:
    """Our own deadline: ``seconds`` from now by ``clock`` (a monotonic one, in seconds)."""

    __slots__ = ("_clock", "_end", "seconds")

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds

    @property
    def remaining(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._end - self._clock())

    @property
    def passed(self) -> bool:
        return self.remaining <= 0.0


def backoff(attempt: int, random: Callable[[], float], *, base: float, longest: float) -> float:
    """Seconds to wait before retry number ``attempt`` (from 0): half fixed, half jitter.

    ``random`` gives numbers in [0, 1).
    """
    whole = min(longest, base * 2.0 ** min(attempt, 30))
    return whole / 2 + whole / 2 * random()


def retry_after(value: str | None, *, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for; None when it is absent or makes no sense.

    Both forms of RFC 9110 are read: whole seconds, and an HTTP date (against ``now``, aware).
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_RETRY_AFTER)
