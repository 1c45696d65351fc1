"""A token bucket for the API's rate limit. Pure but for the clock that it is given.

Heroku grants an account 4,500 calls, refilled at about 75 a minute
(https://devcenter.heroku.com/articles/platform-api-reference#rate-limits); others use it too, so a
watch leaves a part of it alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

HEROKU_PER_HOUR = 4500


class Budget:
    """``per_hour`` calls an hour, at most ``burst`` at once. Threads may share one."""

    def __init__(self, per_hour: float, *, burst: float, clock: Callable[[], float]) -> None:
        if per_hour <= 0 or burst < 1:
            raise ValueError("a budget is above 0 calls an hour, and 1 at once")
        self._rate = per_hour / 3600.0
        self._burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = burst
        self._at = clock()
        self.spent = 0

    def take(self, calls: int = 1) -> bool:
        """Takes ``calls`` when there are so many, else takes none."""
        with self._lock:
            self._refill()
            if self._tokens < calls:
                return False
            self._tokens -= calls
            self.spent += calls
            return True

    def owe(self, calls: int) -> None:
        """Counts calls that were made already; with too few left, later ones wait for longer."""
        with self._lock:
            self._refill()
            self._tokens -= calls
            self.spent += calls

    def wait_for(self, calls: int = 1) -> float:
        """Seconds until ``calls`` can be taken; 0 when they can be now."""
        with self._lock:
            self._refill()
            return max(0.0, (min(calls, self._burst) - self._tokens) / self._rate)

    def _refill(self) -> None:
        now = self._clock()
        # A clock that was set back gives nothing, and takes nothing.
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
