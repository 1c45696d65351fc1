"""A lease while it is held: a heartbeat renews it, and each change asks first whether it is ours.

Waiting for one's turn is here too. What a lease is and who may take it over: leases.py.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self

from truegreen.errors import Refused, TrueGreenError, Unverified
from truegreen.model import stamp
from truegreen.ship.holder import Holder
from truegreen.ship.leases import Claim, Held, Leases, Taken

SECONDS = 30.0  # how long a lease outlives its last heartbeat
_BEATS = 3  # heartbeats in that time
_POLL = 0.5  # seconds between two looks of who waits

Open = Callable[[], Leases]
Tell = Callable[[str], None]


class LeaseLost(TrueGreenError):
    """Somebody else took over while this process was away (suspended, or cut off from the
    database). Nothing more is changed."""

    exit_code = 5


class Keeps(Protocol):
    """What the steps know of a lease."""

    def confirm(self) -> None:
        """Returns when the lease is ours at this moment, for some time more. Raises LeaseLost."""


class Unshared:
    """Where nobody else can be: a stage, or a platform in memory."""

    def confirm(self) -> None:
        return


class Lease:
    """A lease that is ours, kept by a thread with a connection of its own; a context manager."""

    def __init__(self, open_leases: Open, leases: Leases, taken: Taken, seconds: float) -> None:
        self._open = open_leases
        self._leases = leases
        self._seconds = seconds
        self._lost = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease heartbeat", daemon=True)
        self.taken = taken

    @property
    def claim(self) -> Claim:
        return self.taken.lease

    def confirm(self) -> None:
        if not self._lost and self._leases.renew(self.claim, seconds=self._seconds) is None:
            self._lost = True
        if self._lost:
            raise LeaseLost(
                f"the lease of {self.claim.app} is not ours any more: it expired while this"
                " process was away, and somebody else took it",
                hint="truegreen releases --lease shows who ships now",
            )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=5.0)
        try:
            self._leases.give_back(self.claim.app, self.claim.holder)
        except Unverified:
            return  # it expires by itself; what is raised now is more important

    def _beat(self) -> None:
        leases: Leases | None = None
        try:
            while not self._stop.wait(self._seconds / _BEATS):
                try:
                    leases = leases or self._open()
                    if leases.renew(self.claim, seconds=self._seconds) is None:
                        self._lost = True
                        return
                except Unverified:
                    leases = None  # the database is away: confirm() says so when it counts
        finally:
            if leases is not None:
                leases.close()


@contextmanager
def lease_of(
    open_leases: Open,
    app: str,
    commit: str,
    *,
    wait: float | None = None,
    seconds: float = SECONDS,
    tell: Tell = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Lease]:
    """The lease of ``app`` for as long as the block runs.

    ``wait``: seconds in the queue at most; None refuses at once. ``tell`` hears the place in the
    queue whenever it changes. Raises Refused, with who holds it and until when.
    """
    holder = Holder.here()
    leases = open_leases()
    try:
        taken = _turn(leases, app, holder, commit, wait, seconds, tell, sleep, clock)
        with Lease(open_leases, leases, taken, seconds) as lease:
            yield lease
    finally:
        leases.close()


def _turn(
    leases: Leases,
    app: str,
    holder: Holder,
    commit: str,
    wait: float | None,
    seconds: float,
    tell: Tell,
    sleep: Callable[[float], None],
    clock: Callable[[], float],
) -> Taken:
    until = clock() + (wait or 0.0)
    told = ""
    try:
        while True:
            answer = leases.take(app, holder, commit, seconds=seconds, wait=wait is not None)
            if isinstance(answer, Taken):
                return answer
            if wait is None or clock() >= until:
                raise _refusal(answer, wait)
            text = f"queued: {_told(answer)}"
            if text != told:
                tell(text)
                told = text
            sleep(min(_POLL, seconds / _BEATS))
    except BaseException:
        if wait is not None:
            leases.give_back(app, holder.id)  # out of the queue, so that nobody waits for us
        raise


def _refusal(answer: Held, wait: float | None) -> Refused:
    waited = f" (waited {wait:g} s)" if wait else ""
    return Refused(
        f"somebody else ships this app: {_told(answer)}{waited}",
        hint="ship --wait queues; truegreen releases --lease shows who ships and who waits",
    )


def _told(answer: Held) -> str:
    parts = []
    if answer.lease is not None:
        parts.append(f"{answer.lease} holds it until {moment(answer.lease.expires_at)}")
    if answer.before:
        parts.append(
            f"{len(answer.before)} before us: " + ", ".join(str(one) for one in answer.before)
        )
    return "; ".join(parts)


def moment(seconds: float) -> str:
    """A time of the database, in UTC."""
    return stamp(datetime.fromtimestamp(seconds, UTC))
