"""``ci.conclusion``: did the CI run of this commit conclude ``success``, as GitHub's API says it?

A watcher's exit status is not asked. Of each workflow the newest run counts, in its latest attempt.
``cancelled``, ``skipped``, ``neutral``, ``stale``, still running and missing are no success; a job
that failed behind ``continue-on-error`` makes its run no success either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from truegreen.config.observing import Ci
from truegreen.github import Job, WorkflowRun
from truegreen.verify.answer import Answer, failed, passed, unknown
from truegreen.verify.world import World

EXPECTED = "success"
_FAILURES = ("failure", "timed_out", "startup_failure")


def observe(world: World) -> Answer:
    source = f"GitHub Actions of {world.question.ci.repository}"
    commit = world.commit()
    if commit is None:
        return unknown("which commit is meant is not known", EXPECTED, source)
    actions = world.actions()
    runs, digest = actions.runs(commit)
    answer = decide(runs, actions.jobs, world.question.ci, own_run=world.question.own_run)
    return Answer(answer.status, answer.observed, EXPECTED, source, digest, answer.detail)


def decide(
    runs: Sequence[WorkflowRun],
    jobs_of: Callable[[WorkflowRun], Sequence[Job]],
    asked: Ci,
    *,
    own_run: int | None = None,
) -> Answer:
    """The answer for the runs of one commit. ``own_run`` is the run that asks (it cannot have
    ended), left out unless its workflow is named. Jobs are read only of runs that succeeded."""
    newest: dict[str, WorkflowRun] = {}
    for run in sorted(runs, key=lambda one: (one.number, one.attempt)):
        if run.id != own_run or run.file in asked.workflows:
            newest[run.file] = run
    missing = [name for name in asked.workflows if name not in newest]
    chosen = [run for file, run in newest.items() if not asked.workflows or file in asked.workflows]
    source, detail = "", {"runs": [_told(run) for run in chosen]}
    failures, doubts = [], [f"{name} has not run on this commit" for name in missing]
    seen_jobs: set[str] = set()
    for run in chosen:
        if run.conclusion in _FAILURES:
            failures.append(f"{run.file} concluded {run.conclusion}")
        elif run.status != "completed" or run.conclusion is None:
            doubts.append(f"{run.file} is {run.status}")
        elif run.conclusion != "success":
            doubts.append(f"{run.file} concluded {run.conclusion}")
        else:
            jobs = jobs_of(run)
            if all(job.conclusion in ("skipped", None) for job in jobs):
                doubts.append(f"{run.file} ran no job")
            for job in jobs:
                wanted = job.name in asked.jobs
                seen_jobs.add(job.name)
                if job.conclusion in _FAILURES:
                    failures.append(f"{run.file}, job {job.name} concluded {job.conclusion}")
                elif job.conclusion == "cancelled" or (wanted and job.conclusion != "success"):
                    doubts.append(f"{run.file}, job {job.name}: {job.conclusion or job.status}")
    if not failures and not doubts:
        doubts += [f"job {name} has not run" for name in asked.jobs if name not in seen_jobs]
    if not chosen and not missing:
        doubts.append("no workflow has run on this commit")
    if failures:
        return failed("; ".join(failures + doubts), EXPECTED, source, detail=detail)
    if doubts:
        return unknown("; ".join(doubts), EXPECTED, source, detail=detail)
    told = ", ".join(
        f"{run.file} #{run.number}" + (f" (attempt {run.attempt})" if run.attempt > 1 else "")
        for run in chosen
    )
    return passed(f"success: {told}", EXPECTED, source, detail=detail)


def _told(run: WorkflowRun) -> dict[str, object]:
    return {
        "file": run.file,
        "number": run.number,
        "attempt": run.attempt,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "url": run.url,
    }
