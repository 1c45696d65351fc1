"""Looks on at a job until it ends, and ends as its ship did. Changes nothing.

Whoever follows may go away at any time: the ship is the worker's. A database that is away is waited
for; the job's end is read from the ledger that workers and runners share.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from truegreen.errors import Interrupted, TrueGreenError, Unverified, UsageError
from truegreen.ledger import Ledger, Record
from truegreen.model import Verdict
from truegreen.ship.progress import StepState, Watcher
from truegreen.state import Location, StateError
from truegreen.workers.job import Job, Standing
from truegreen.workers.queue import Queue

_POLL = 2.0  # seconds between two looks, when nothing is told
AWAY = 60.0  # seconds in which a database that is away may come back


@dataclass(frozen=True, slots=True)
class Followed:
    """The ship's document and exit code, as they are where it was carried out."""

    document: dict[str, Any]
    exit_code: int


class EndedThere(TrueGreenError):
    """The ship came to no verdict; the worker's words, and the exit code that it had there."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.message, hint=job.hint)
        self.exit_code = job.exit_code or Unverified.exit_code  # type: ignore[misc]


def follow(
    open_queue: Callable[[], Queue],
    number: int,
    app: str,
    location: Location,
    *,
    tell: Callable[[str], None],
    watcher: Watcher,
    patience: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Followed:
    """The end of job ``number``, which must be one of ``app``.

    ``tell`` hears where the job is whenever that changes, ``watcher`` of the ship's steps.
    ``patience``: seconds until Unverified is raised, None for no limit. Raises UsageError for a job
    that is not there, StateError when the database is away for AWAY seconds, Interrupted for
    Ctrl-C, and EndedThere for a ship that came to no verdict. None of these touches the ship.
    """
    eyes = _Eyes(tell, watcher)
    until = None if patience is None else clock() + patience
    away_since: float | None = None
    queue: Queue | None = None
    try:
        while True:
            try:
                if queue is None:
                    queue = open_queue()
                    queue.listen_to(number)
                standing = queue.standing(number)
                away_since = None
                if standing is None or standing.job.app != app:
                    raise _unknown(number, app, standing)
                eyes.see(standing)
                if standing.job.state == "ended":
                    return _ended(standing.job, location)
                if until is not None and clock() >= until:
                    raise Unverified(
                        f"{standing.told}; waited {patience:g} s",
                        hint=f"truegreen ship --follow {number} goes on following",
                    )
                left = _POLL if until is None else min(_POLL, max(0.0, until - clock()))
                queue.wait(left)
            except StateError as error:
                _close(queue)
                queue = None
                away_since = clock() if away_since is None else away_since
                if clock() - away_since >= AWAY:
                    raise StateError(
                        f"job {number} cannot be followed: {error.message}",
                        hint="its ship is the worker's, and goes on",
                    ) from error
                eyes.say(f"the database is away, asking again: {error.message}")
                sleep(min(_POLL, 0.5))
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"job {number} is not followed any more; its ship goes on",
            hint=f"truegreen ship --follow {number} follows it again",
        ) from error
    finally:
        _close(queue)


def _unknown(number: int, app: str, standing: Standing | None) -> UsageError:
    if standing is None:
        return UsageError(f"there is no job {number}", hint="ship --enqueue says its number")
    return UsageError(
        f"job {number} is of {standing.job.app}, not of {app}", hint="--env, or the other's folder"
    )


def _close(queue: Queue | None) -> None:
    if queue is not None:
        queue.close()


def _ended(job: Job, location: Location) -> Followed:
    if job.run is None:
        raise EndedThere(job)
    with Ledger.open(location) as ledger:
        record = ledger.record(job.run)
    if record is None:
        raise Unverified(
            f"job {job.id} ended {job.verdict}, and the ledger has no record {job.run} of it",
            hint="truegreen ledger verify",
        )
    if not tells_of(record, job):
        raise Unverified(
            f"job {job.id} ended {job.verdict} (exit {job.exit_code}), and the record that it names"
            f" tells of another end: {record.kind} {record.verdict} of {record.app}",
            hint="truegreen ledger verify; truegreen verify asks what is true now",
        )
    document = {key: value for key, value in record.body.items() if key != "committed_at"}
    return Followed(document, Verdict(document["verdict"]).exit_code)


def tells_of(record: Record, job: Job) -> bool:
    """Whether ``record`` is of that ship, and of that end: nobody is told green by a number."""
    ours = (record.kind, record.app, record.commit) == ("ship", job.app, job.commit)
    told = {record.body.get("verdict"), record.verdict, job.verdict}
    return ours and any(told == {one} and one.exit_code == job.exit_code for one in Verdict)


class _Eyes:
    """Says what is new, and once."""

    def __init__(self, tell: Callable[[str], None], watcher: Watcher) -> None:
        self._tell = tell
        self._watcher = watcher
        self._told = ""
        self._attempt = 0
        self._seen = 0

    def say(self, text: str) -> None:
        if text != self._told:
            self._tell(text)
            self._told = text

    def see(self, standing: Standing) -> None:
        job = standing.job
        if job.state != "ended":
            self.say(standing.told)
        if job.attempt != self._attempt:
            self._attempt, self._seen = job.attempt, 0
        steps = job.steps
        for name, state, text in steps[self._seen :]:
            self._watcher.step(name, StepState(state), text)
        self._seen = len(steps)
