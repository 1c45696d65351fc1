"""A token bucket for the API's rate limit. Pure but for the clock that it is given.

Heroku grants an account 4,500 calls, refilled at about 75 a minute
(https://devcenter.heroku.com/articles/platform-api-reference#rate-limits); others use it too, so a
watch leaves a part of it alone. A bucket that several processes share is shared_budget.py's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

HEROKU_PER_HOUR = 4500
LEFT_ALONE = 100  # calls of what the platform says it has left: for who ships meanwhile
_AT_ONCE = 1 / 20  # of an hour's calls: what may be made at once after a quiet time


@dataclass(frozen=True, slots=True)
class Terms:
    """``rate``: calls a second; ``burst``: calls at once, at most."""

    rate: float
    burst: float

    def __post_init__(self) -> None:
        if self.rate <= 0 or self.burst < 1:
            raise ValueError("a budget is above 0 calls an hour, and 1 at once")

    @classmethod
    def within(cls, per_hour: float) -> Self:
        """The terms under which no hour, wherever it begins, has more than ``per_hour`` calls: what
        may come at once is taken off what comes with time. (Below 8 an hour one look is more.)"""
        burst = max(4.0, per_hour * _AT_ONCE)
        return cls(max(per_hour - burst, per_hour / 2) / 3600.0, burst)

    def filled(self, tokens: float, at: float, now: float) -> float:
        """What there is at ``now`` of ``tokens`` at ``at``. A clock that was set back gives
        nothing, and takes nothing."""
        return min(self.burst, tokens + max(0.0, now - at) * self.rate)

    def wait(self, tokens: float, wanted: float) -> float:
        """Seconds until there are ``wanted``; more than can ever be there is as many as can."""
        return max(0.0, (min(wanted, self.burst) - tokens) / self.rate)


class Spends(Protocol):
    """What a fleet asks before it asks the platform. Raises StateError when the budget is shared
    and its database does not answer: then nobody knows what the others spend."""

    terms: Terms

    def take(self, calls: int = 1, *, keep: float = 0.0) -> bool:
        """Takes ``calls`` when at least ``keep`` are left then, else takes none."""

    def settle(self, calls: int) -> None:
        """Takes ``calls`` whether they are there or not; below 0, gives them back."""

    def cap(self, remaining: int) -> None:
        """The platform says that the account has no more than this left."""

    @property
    def tokens(self) -> float:
        """Calls that could be made now; below 0 while more were made than there were."""


class Budget:
    """A budget of this process's own. Threads may share one."""

    def __init__(self, terms: Terms, *, clock: Callable[[], float]) -> None:
        self.terms = terms
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = terms.burst
        self._at = clock()

    def take(self, calls: int = 1, *, keep: float = 0.0) -> bool:
        with self._lock:
            self._refill()
            if self._tokens < calls + keep:
                return False
            self._tokens -= calls
            return True

    def settle(self, calls: int) -> None:
        with self._lock:
            self._refill()
            self._tokens = min(self.terms.burst, self._tokens - calls)

    def cap(self, remaining: int) -> None:
        with self._lock:
            self._tokens = min(self._tokens, float(remaining - LEFT_ALONE))

    @property
    def tokens(self) -> float:
        with self._lock:
            self._refill()
            return self._tokens

    def _refill(self) -> None:
        now = self._clock()
        self._tokens = self.terms.filled(self._tokens, self._at, now)
        self._at = now
