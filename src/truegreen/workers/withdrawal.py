"""Taking a job back, one that waits or one that is carried out: what is written down, what is said,
what is refused.

Pure. The table and its locks are queue.py's.
"""

from __future__ import annotations

from dataclasses import dataclass

from truegreen.errors import Interrupted, Refused, UsageError
from truegreen.workers.job import Ending, Job

LONGEST = 500  # characters of a reason


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """``job`` as it stands now. ``now``: it was taken out by this call. ``shipping``: who was
    carrying it out then, and stops; empty for nobody."""

    job: Job
    now: bool
    shipping: str = ""

    @property
    def told(self) -> str:
        """In a sentence, of a job that is withdrawn."""
        job = self.job
        if self.now:
            stops = f"; {self.shipping} stops its ship" if self.shipping else ""
            return f"job {job.id} is withdrawn: {job.app}, {job.commit[:8]}{stops}"
        return f"job {job.id} was withdrawn before, by {job.owner}: {job.note}"


def one_line(reason: str) -> str:
    """``reason`` as it may stand in a table and in a terminal. Raises UsageError for none, and for
    more than LONGEST characters."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in reason).split())
    if not clean:
        raise UsageError(
            "--withdraw without --reason: whoever follows the job is told why it ends",
            hint='truegreen ship --withdraw JOB --reason "…"',
        )
    if len(clean) > LONGEST:
        raise UsageError(f"a reason of {len(clean)} characters", hint=f"at most {LONGEST}")
    return clean


def withdrawn(job: Job, by: str, why: str) -> Ending:
    """How ``job`` ends for those who follow it. Refused (4) when nobody had begun it, so nothing
    was changed; Interrupted (5) when a worker had, and what it built or released may be there."""
    begun = job.attempt > 0
    left = ""
    if job.state == "running":
        left = f"; {job.owner} stops its ship, and what was built or released until then is there"
    elif begun:
        times = "once" if job.attempt == 1 else f"{job.attempt} times"
        left = f"; {times} a worker had begun it, and what was built or released is there"
    return Ending(
        Interrupted.exit_code if begun else Refused.exit_code,
        message=f"job {job.id} was withdrawn by {by}: {why}{left}",
        hint="truegreen verify says what is true now; ship --enqueue asks for it anew"
        if begun
        else "truegreen ship --enqueue asks for it anew",
    )


def check(found: Withdrawal | None, number: int, app: str) -> Withdrawal:
    """``found`` when the job is withdrawn, by this call or before. Raises UsageError (2) for one
    that is not there, is another app's, or has ended, and Refused (4) for one that is carried
    out and was not to be stopped."""
    if found is None:
        raise UsageError(f"there is no job {number}", hint="truegreen releases --queue shows them")
    job = found.job
    if job.app != app:
        raise UsageError(
            f"job {number} is of {job.app}, not of {app}", hint="--env, or the other's folder"
        )
    if job.state == "running":
        raise Refused(
            f"job {number} is not withdrawn: {job.owner} ships it, attempt {job.attempt}",
            hint=f"truegreen ship --withdraw {number} --stop stops its ship, too; what the platform"
            " has begun goes on there",
        )
    if not job.withdrawn:
        how = job.verdict or f"exit {job.exit_code}"
        raise UsageError(
            f"job {number} has ended ({how}): there is nothing to withdraw",
            hint=f"truegreen ship --follow {number} says how it ended",
        )
    return found
