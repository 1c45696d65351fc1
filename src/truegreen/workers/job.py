"""A job as it stands in the table, and how one ends. Values only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from truegreen.ship.lease import moment
from truegreen.workers.order import Aim, Understands

State = Literal["waiting", "running", "ended"]
# Stands where a verdict would: no new state and no new column, so that a worker or a runner of any
# version sees a job that ended, and says the words that stand with it.
WITHDRAWN = "withdrawn"
SOON = "a worker takes it soon"


@dataclass(frozen=True, slots=True)
class Job(Aim):
    """One row. Times: seconds since 1970, by the database's clock.

    ``attempt`` counts how often it was taken, and with ``worker`` names one claim of it. ``lost``
    counts the workers that went away in the middle. ``run``: the ledger's record of the end, None
    for a ship that came to no verdict; then ``message`` and ``hint`` say why. ``note``: what
    happened to it last, besides ending. Of a job that was withdrawn, ``owner`` is who did that and
    ``note`` is why.
    """

    id: int
    options: str
    protocol: int
    asked_by: str
    asked_at: float
    state: State
    worker: str
    owner: str
    process: str
    taken_at: float | None
    beat_at: float | None
    attempt: int
    lost: int
    progress: str
    note: str
    ended_at: float | None
    exit_code: int | None
    verdict: str | None
    run: int | None
    message: str
    hint: str

    @property
    def steps(self) -> list[tuple[str, str, str]]:
        """(step, state, text) as far as the ship told it."""
        return [(str(name), str(state), str(text)) for name, state, text in
                json.loads(self.progress)]  # fmt: skip

    @property
    def withdrawn(self) -> bool:
        return self.verdict == WITHDRAWN

    def as_json(self) -> dict[str, Any]:
        """The document of ``ship --enqueue --no-follow`` and of ``ship --withdraw``."""
        gone = {"by": self.owner, "reason": self.note, "at": moment(self.ended_at or 0.0)}
        return {
            "job": self.id,
            "state": self.state,
            "app": self.app,
            "environment": self.environment,
            "repository": self.repository,
            "prefix": self.prefix,
            "commit": self.commit,
            "protocol": self.protocol,
            "asked_by": self.asked_by,
            "asked_at": moment(self.asked_at),
            **({"withdrawn": gone, "exit_code": self.exit_code} if self.withdrawn else {}),
        }


@dataclass(frozen=True, slots=True)
class Seen:
    """A worker that is alive. ``beat_at``: its last heartbeat, by the database's clock."""

    id: str
    owner: str
    version: str
    understands: Understands
    slots: int
    busy: int
    beat_at: float


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a job is. ``before``: jobs of its app that come first; ``workers``: those alive;
    ``apps_before``: apps whose turn comes before its app's, where that was asked."""

    job: Job
    before: int
    workers: tuple[Seen, ...]
    apps_before: int = 0

    @property
    def told(self) -> str:
        """In a sentence."""
        job = self.job
        if job.state == "ended":
            return f"job {job.id} ended"
        if job.state == "running":
            again = f", attempt {job.attempt}" if job.attempt > 1 else ""
            return f"job {job.id}: {job.owner} ships it{again}"
        return f"job {job.id} waits{f' again ({job.note})' if job.note else ''}: {self.why}"

    @property
    def stuck(self) -> bool:
        """It is the first of its app, and nobody who is alive takes it."""
        return not self.before and not self._able()

    def _able(self) -> list[Seen]:
        return [one for one in self.workers if self.job.protocol in one.understands]

    @property
    def why(self) -> str:
        """What a job that waits is waiting for."""
        if self.before:
            return f"{self.before} of {self.job.app} before it"
        if not self.workers:
            return "no worker is alive (truegreen board --worker)"
        able = self._able()
        if not able:
            known = ", ".join(sorted({str(one.understands) for one in self.workers}))
            return (
                f"it is of protocol {self.job.protocol}, and the workers alive understand {known}:"
                " one of a newer TrueGreen takes it"
            )
        if all(one.busy >= one.slots for one in able):
            busy = f"all {len(able)} workers are busy" if len(able) > 1 else "the worker is busy"
            return f"{busy}{self._turn}"
        return SOON

    @property
    def _turn(self) -> str:
        if not self.apps_before:
            return ""
        apps = "1 app has its" if self.apps_before == 1 else f"{self.apps_before} apps have their"
        return f", and {apps} turn before {self.job.app}"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a ship ended. ``again``: it did not, and the next worker goes on from there."""

    exit_code: int
    verdict: str | None = None
    run: int | None = None
    message: str = ""
    hint: str = ""
    again: bool = False
    outdated: bool = False  # the database is of a newer TrueGreen than the worker that took it
