"""Waits for a build or a release to be done, with our own deadline: ``pending`` can be forever.

Only polls; what the result means is for the caller.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from truegreen.errors import DeadlineExceeded, PlatformUnreachable
from truegreen.heroku.models import Build, Release
from truegreen.heroku.retry import Deadline

FIRST_DELAY = 0.1  # seconds
LONGEST_DELAY = 2.0
PATIENCE = 30.0  # seconds in which a platform may be away, e.g. to restart


class ReadsBuilds(Protocol):
    def build(self, app: str, build_id: str, *, within: float | None = None) -> Build: ...


class ReadsReleases(Protocol):
    def release(
        self, app: str, id_or_version: str | int, *, within: float | None = None
    ) -> Release: ...


class _HasStatus(Protocol):
    @property
    def status(self) -> str: ...


T = TypeVar("T", bound=_HasStatus)


def wait_for_build(
    client: ReadsBuilds,
    app: str,
    build_id: str,
    *,
    deadline: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    patience: float = PATIENCE,
) -> Build:
    """The build, once it is ``succeeded`` or ``failed``. ``deadline``, ``patience``: seconds.

    Raises DeadlineExceeded when it is pending for longer; PlatformUnreachable when the platform
    is away for longer than ``patience``; PlatformRefused and UnexpectedAnswer at once.
    """
    return _poll(
        lambda seconds: client.build(app, build_id, within=seconds),
        f"build {build_id} of {app}",
        Deadline(deadline, clock),
        (clock, sleep, patience),
    )


def wait_for_release(
    client: ReadsReleases,
    app: str,
    id_or_version: str | int,
    *,
    deadline: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    patience: float = PATIENCE,
) -> Release:
    """The release, once it is ``succeeded``, ``failed`` or ``expired``; else as wait_for_build."""
    return _poll(
        lambda seconds: client.release(app, id_or_version, within=seconds),
        f"release {id_or_version} of {app}",
        Deadline(deadline, clock),
        (clock, sleep, patience),
    )


def _poll(
    read: Callable[[float], T],
    what: str,
    left: Deadline,
    timing: tuple[Callable[[], float], Callable[[float], None], float],
) -> T:
    clock, sleep, patience = timing
    delay = FIRST_DELAY
    away_since: float | None = None
    while True:
        asked_at = clock()
        try:
            # Even the last question, at the deadline itself, gets a moment to be answered.
            found = read(max(1.0, left.remaining))
        except PlatformUnreachable:
            away_since = asked_at if away_since is None else away_since
            if left.passed or clock() - away_since >= patience:
                raise
        else:
            away_since = None
            if found.status != "pending":
                return found
            if left.passed:
                raise DeadlineExceeded(
                    f"{what} is still pending after {left.seconds:g} s",
                    hint="it may still end: `truegreen verify` asks again and changes nothing",
                )
        sleep(min(delay, max(0.001, left.remaining)))
        delay = min(delay * 1.5, LONGEST_DELAY)
