"""The line of those who wait, app by app: in whose turn, and why. Pure: rows in, a document out.

Jobs of the queue, and beside them who waits for an app's lease (``ship --wait``; a worker's ship
that found it held). How it is shown is the board's, how rows are read queue.py's and leases.py's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from truegreen.model import short, stamp
from truegreen.ship.lease import moment
from truegreen.ship.leases import Claim
from truegreen.ship.turn import claim_json
from truegreen.state import DATABASE_URL
from truegreen.workers.job import SOON, Job, Seen, Standing

A_WHILE = 60.0  # seconds in which a worker that is free takes what it may take


@dataclass(frozen=True, slots=True)
class Waits:
    """A job that waits. ``before``: those of its app that wait before it. ``served_at``: when a
    job of its app was taken last."""

    job: Job
    before: int
    served_at: float


@dataclass(frozen=True, slots=True)
class Line:
    """The queue at one moment of the database's clock. ``left_out``: further jobs that wait."""

    running: tuple[Job, ...]
    waiting: tuple[Waits, ...]
    left_out: int
    workers: tuple[Seen, ...]
    now: float


@dataclass(frozen=True, slots=True)
class Place:
    """One app: what is carried out, what waits in the queue in order, who holds its lease, and who
    waits for that in order."""

    place: str
    running: Job | None
    waiting: tuple[Standing, ...]
    lease: Claim | None
    tickets: tuple[Claim, ...]

    @property
    def app(self) -> str:
        return self.place.rpartition("/apps/")[2]


def places(line: Line | None, held: Sequence[Claim], tickets: Sequence[Claim]) -> tuple[Place, ...]:
    """The apps where something waits or a job is carried out: those that a worker is at, then the
    others in the order of their turn, then those where only leases are waited for. ``line`` None:
    there is no queue."""
    workers = () if line is None else line.workers
    running = {} if line is None else {job.place: job for job in line.running}
    waiting: dict[str, list[Waits]] = {}
    for one in () if line is None else line.waiting:
        waiting.setdefault(one.job.place, []).append(one)
    asking: dict[str, list[Claim]] = {}
    for claim in tickets:
        asking.setdefault(claim.app, []).append(claim)
    free = [place for place in waiting if place not in running]
    free.sort(key=lambda place: (waiting[place][0].served_at, waiting[place][0].job.id))
    turns: dict[str, int] = {}
    taken = 0  # apps so far whose turn comes: those that nobody alive understands are passed over
    for place in free:
        turns[place] = taken
        taken += not Standing(waiting[place][0].job, 0, workers).stuck
    leases = {claim.app: claim for claim in held}
    begun = sorted(running, key=lambda place: running[place].taken_at or 0.0)
    return tuple(
        Place(
            place,
            running.get(place),
            tuple(
                Standing(one.job, one.before + (place in running), workers, turns.get(place, 0))
                for one in waiting.get(place, ())
            ),
            leases.get(place),
            tuple(asking.get(place, ())),
        )
        for place in dict.fromkeys([*begun, *free, *asking])
    )


def document(line: Line | None, found: Sequence[Place], now: datetime) -> dict[str, Any]:
    """What ``releases --queue --json`` prints. ``now`` stands in it where there is no queue, whose
    own clock it would be."""
    at = stamp(now) if line is None else moment(line.now)
    return {
        "sentence": _sentence(line, found),
        "now": at,
        "shared": line is not None,
        "apps": [_place(one, line) for one in found],
        "left_out": 0 if line is None else line.left_out,
        "workers": [] if line is None else [_worker(one) for one in line.workers],
    }


def _sentence(line: Line | None, found: Sequence[Place]) -> str:
    tickets = sum(len(one.tickets) for one in found)
    waits = "1 ship waits" if tickets == 1 else f"{tickets} ships wait"
    beside = f"{waits} for a lease" if tickets else ""
    if line is None:
        return f"{beside}." if beside else "Nobody waits."
    running, waiting = len(line.running), len(line.waiting) + line.left_out
    parts = []
    if running:
        parts.append("1 job is carried out" if running == 1 else f"{running} jobs are carried out")
    if waiting:
        jobs = "" if running else " job" if waiting == 1 else " jobs"
        parts.append(f"{waiting}{jobs} {'waits' if waiting == 1 else 'wait'}")
    if beside:
        parts.append(beside)
    told = ", ".join(parts) or "Nobody waits"
    if not line.workers:
        return f"{told}{', and' if parts else ':'} no worker is alive."
    alive = "1 worker is" if len(line.workers) == 1 else f"{len(line.workers)} workers are"
    strange = sum(bool(one.waiting) and one.waiting[0].stuck for one in found)
    if strange:
        apps = "1 app" if strange == 1 else f"{strange} apps"
        return f"{told}; {alive} alive, and none understands what is first of {apps}."
    return f"{told}; {alive} alive."


def _place(one: Place, line: Line | None) -> dict[str, Any]:
    return {
        "app": one.app,
        "place": one.place,
        "stuck": bool(one.waiting) and one.waiting[0].stuck,
        "running": None if one.running is None else _running(one.running),
        "waiting": [_waiting(each, line.now if line else 0.0) for each in one.waiting],
        "lease": None if one.lease is None else claim_json(one.lease),
        "tickets": [claim_json(each) for each in one.tickets],
    }


def _job(job: Job) -> dict[str, Any]:
    return {
        "job": job.id,
        "environment": job.environment,
        "repository": job.repository,
        "commit": job.commit,
        "protocol": job.protocol,
        "asked_by": job.asked_by,
        "asked_at": moment(job.asked_at),
        "attempt": job.attempt,
        "note": job.note,
    }


def _running(job: Job) -> dict[str, Any]:
    step, state, text = job.steps[-1] if job.steps else ("", "", "")
    return {
        **_job(job),
        "worker": job.owner,
        "since": moment(job.taken_at or 0.0),
        "heard_of": moment(job.beat_at or 0.0),
        "step": step,
        "step_state": state,
        "step_told": text,
    }


def _waiting(standing: Standing, now: float) -> dict[str, Any]:
    why = standing.why
    if why == SOON and now - standing.job.asked_at > A_WHILE:
        why = "a worker that is free takes it, unless their --only leave its repository out"
    return {**_job(standing.job), "before": standing.before, "why": why}


def _worker(one: Seen) -> dict[str, Any]:
    return {
        "owner": one.owner,
        "version": one.version,
        "oldest": one.understands.oldest,
        "newest": one.understands.newest,
        "slots": one.slots,
        "busy": one.busy,
        "heard_of": moment(one.beat_at),
    }


def lines(told: Mapping[str, Any]) -> Iterator[str]:
    """The document for a terminal, which obeys nothing that somebody wrote into the queue."""
    for line in _lines(told):
        yield "".join(sign if sign.isprintable() else "?" for sign in line)


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    yield told["sentence"]
    if not told["shared"]:
        yield f"Workers would share a queue: {DATABASE_URL}, and truegreen board --worker."
    for app in told["apps"]:
        yield f"{app['app']}  {app['place']}"
        if (job := app["running"]) is not None:
            again = f", attempt {job['attempt']}" if job["attempt"] > 1 else ""
            step = f", step {job['step']}" if job["step"] else ""
            yield f"{_about(job)}: {job['worker']} ships it since {job['since']}{again}{step}"
        for job in app["waiting"]:
            again = f" again ({' '.join(job['note'].split())})" if job["note"] else ""
            yield f"{_about(job)} {job['asked_at']}: waits{again}, {job['why']}"
        if app["tickets"] and app["lease"] is not None:
            yield f"  {_who(app['lease'])} holds the lease since {app['lease']['since']}"
        for ticket in app["tickets"]:
            yield f"  {_who(ticket)} waits for the lease since {ticket['since']}"
    if told["left_out"]:
        yield f"and {told['left_out']} more that wait"
    for one in told["workers"]:
        known = {str(one["oldest"]), str(one["newest"])}
        yield (
            f"worker {one['owner']}: {one['version']}, protocol {'–'.join(sorted(known))},"
            f" {one['busy']} of {one['slots']} busy, heard of {one['heard_of']}"
        )


def _about(job: Mapping[str, Any]) -> str:
    commit, asked_by = short(job["commit"]), job["asked_by"]
    return f"  job {job['job']}  {commit} to {job['environment']}, asked by {asked_by}"


def _who(claim: Mapping[str, Any]) -> str:
    commit = claim["commit"]
    what = f"commit {short(commit)}" if len(commit) == 40 else commit
    return f"{claim['owner']} (pid {claim['pid']}, {what})"
