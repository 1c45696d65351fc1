"""What a guard has seen since its process began: requests by reason, the last refusal, a log.

Counting must cost next to nothing and lose nothing under threads, hence ``itertools.count``: its
``next`` is one C call that no other thread interrupts (free-threaded builds lock it themselves).
Nothing of a request is kept but what ``Refusal`` names; header values never get here.
"""

from __future__ import annotations

import os
import time
from _thread import allocate_lock  # `threading` only re-exports it, after 2 ms of imports
from itertools import count

from truegreen.frozen import Frozen
from truegreen.guard.reasons import LET_IN, REASONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from logging import Logger

_LONGEST = 200
_LOCK = allocate_lock()  # of all tallies: a process has one


def _after_fork() -> None:
    """In a child of one thread: nobody gives the lock back that another thread held."""
    global _LOCK
    _LOCK = allocate_lock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)


class Refusal(Frozen):
    """A request that did not pass. ``allowed``: let in all the same, because the mode is report.

    ``path``: without its query. ``address``: what the profile believes in reached us, as text, or
    None when it is no address. ``suppressed``: how many were not logged before this one.
    """

    __slots__ = ("address", "allowed", "path", "reason", "suppressed")

    reason: str
    allowed: bool
    path: str
    address: str | None
    suppressed: int

    def __init__(
        self, address: str | None, allowed: bool, path: str, reason: str, suppressed: int
    ) -> None:
        self._fill(address, allowed, path, reason, suppressed)


class Tally:
    """Counts for one policy; shared by its adapters, made for threads.

    ``observe(reason, allowed)`` is called for every request, in its path: it must be quick; what it
    raises is dropped. ``log``: gets a warning, with the ``Refusal`` as the record's ``refusal``,
    for at most one refused request in ``log_seconds`` (0: every one). ``clock`` gives seconds since
    the epoch.
    """

    __slots__ = ("_clock", "_every", "_log", "_next", "_reads", "_unlogged",
                 "counters", "last_refused_at", "logs", "observe", "observer_errors")  # fmt: skip

    def __init__(
        self,
        observe: Callable[[str, bool], object] | None = None,
        log: Logger | None = None,
        log_seconds: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.observe = observe
        self.observer_errors = 0
        self.counters = {one: count() for one in REASONS}
        """By reason: ``next`` of it counts a request."""
        self.last_refused_at: float | None = None
        """When a request was last refused, seconds since the epoch; None: never."""
        self._reads = dict.fromkeys(REASONS, 0)
        self._clock = clock
        self._log = log
        self.logs = log is not None
        self._every = log_seconds
        self._next = float("-inf")
        self._unlogged = 0

    def told(self, reason: str, allowed: bool) -> None:
        """Tells the observer, whatever it raises."""
        if self.observe is not None:
            try:
                self.observe(reason, allowed)
            except Exception:  # noqa: BLE001  # a dashboard must not cost a request
                self.observer_errors += 1

    def refused(self, reason: str, allowed: bool, path: str, address: str | None) -> None:
        """Notes a request that did not pass: when, and in the log if its turn has come."""
        now = self._clock()
        if not allowed:
            self.last_refused_at = now
        if self._log is None:
            return
        with _LOCK:
            if self._next - self._every <= now < self._next:  # a clock set back starts anew
                self._unlogged += 1
                return
            self._next = now + self._every
            suppressed, self._unlogged = self._unlogged, 0
        refusal = Refusal(address, allowed, path[:_LONGEST], reason, suppressed)
        self._log.warning(
            "origin guard: %s %s path=%r address=%s suppressed=%d",
            "would refuse" if allowed else "refused",
            reason,
            refusal.path,
            address or "-",
            suppressed,
            extra={"refusal": refusal},
        )

    @property
    def counts(self) -> Mapping[str, int]:
        """Requests by reason, those that came up; a copy."""
        with _LOCK:
            totals = {}
            for reason, counter in self.counters.items():
                totals[reason] = next(counter) - self._reads[reason]  # reading takes a number, too
                self._reads[reason] += 1
        return {reason: total for reason, total in totals.items() if total}

    @property
    def refusals(self) -> int:
        """How many requests did not pass."""
        return sum(total for reason, total in self.counts.items() if reason not in LET_IN)
