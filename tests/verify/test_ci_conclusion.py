"""Only a run that concluded success, with its jobs, is success."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from truegreen.config.observing import Ci
from truegreen.errors import PlatformRefused
from truegreen.github import Job, WorkflowRun
from truegreen.model import Status, Verdict
from truegreen.verify.answer import Answer
from truegreen.verify.observers.ci_conclusion import decide

from .scene import Scene

ASKED = Ci(repository="example/service")


def run(
    file: str = "ci.yml",
    conclusion: str | None = "success",
    *,
    status: str = "completed",
    number: int = 1,
    attempt: int = 1,
    run_id: int = 1,
) -> WorkflowRun:
    path = f".github/workflows/{file}"
    return WorkflowRun(run_id, file, path, "push", status, conclusion, number, attempt, "https://x")


def answer(
    *runs: WorkflowRun,
    asked: Ci = ASKED,
    jobs: Mapping[str, Sequence[Job]] | None = None,
    own: int | None = None,
) -> Answer:
    given = jobs or {}
    return decide(
        runs,
        lambda one: given.get(one.file, (Job("test", "completed", "success"),)),
        asked,
        own_run=own,
    )


def test_success_of_every_workflow_passes() -> None:
    found = answer(run(), run("lint.yml"))
    assert found.status is Status.PASS
    assert "ci.yml #1, lint.yml #1" in found.observed


@pytest.mark.parametrize("jobs", [[], [Job("test", "completed", "skipped")]])
def test_a_success_in_which_no_job_ran_is_none(jobs: list[Job]) -> None:
    found = answer(run(), jobs={"ci.yml": jobs})
    assert (found.status, found.observed) == (Status.UNKNOWN, "ci.yml ran no job")


@pytest.mark.parametrize("conclusion", ["failure", "timed_out", "startup_failure"])
def test_a_run_that_failed_fails(conclusion: str) -> None:
    assert answer(run(conclusion=conclusion)).status is Status.FAIL


@pytest.mark.parametrize(
    "conclusion", ["cancelled", "skipped", "neutral", "stale", "action_required", "new_word"]
)
def test_what_is_neither_success_nor_failure_is_unknown(conclusion: str) -> None:
    found = answer(run(conclusion=conclusion))
    assert found.status is Status.UNKNOWN
    assert conclusion in found.observed


@pytest.mark.parametrize("status", ["queued", "in_progress", "waiting", "requested", "pending"])
def test_a_run_that_has_not_ended_is_unknown(status: str) -> None:
    assert answer(run(conclusion=None, status=status)).status is Status.UNKNOWN


def test_no_run_at_all_and_a_workflow_that_did_not_run_are_unknown() -> None:
    assert answer().status is Status.UNKNOWN
    wanted = ASKED._replace(workflows=("ci.yml", "e2e.yml"))
    found = answer(run(), asked=wanted)
    assert (found.status, found.observed) == (Status.UNKNOWN, "e2e.yml has not run on this commit")


def test_the_newest_run_and_its_latest_attempt_count() -> None:
    assert answer(run(conclusion="failure"), run(number=2, run_id=2)).status is Status.PASS
    assert answer(run(number=2, conclusion="failure", run_id=2), run()).status is Status.FAIL
    again = answer(run(attempt=2))
    assert again.status is Status.PASS
    assert "attempt 2" in again.observed


def test_the_run_that_asks_is_not_its_own_witness() -> None:
    own = run("deploy.yml", None, status="in_progress", run_id=9)
    assert answer(run(), own, own=9).status is Status.PASS
    assert answer(own, own=9).status is Status.UNKNOWN


def test_a_job_that_failed_behind_continue_on_error_fails() -> None:
    jobs = {"ci.yml": [Job("tests", "completed", "success"), Job("e2e", "completed", "failure")]}
    assert answer(run(), jobs=jobs).status is Status.FAIL


def test_a_wanted_job_that_was_skipped_or_is_missing_is_unknown() -> None:
    wanted = ASKED._replace(jobs=("e2e",))
    skipped = {"ci.yml": [Job("tests", "completed", "success"), Job("e2e", "completed", "skipped")]}
    assert answer(run(), asked=wanted, jobs=skipped).status is Status.UNKNOWN
    assert answer(run(), jobs=skipped).status is Status.PASS
    absent = {"ci.yml": [Job("tests", "completed", "success")]}
    assert "job e2e has not run" in answer(run(), asked=wanted, jobs=absent).observed


def test_without_a_table_it_is_not_asked_and_with_one_it_is_required(scene: Scene) -> None:
    assert scene.verify().situation.of("ci.conclusion") is None
    required = (*scene.question.required, "ci.conclusion")
    scene.change(ci=ASKED, required=required)

    class Refuses:
        def runs(self, commit: str) -> None:
            raise PlatformRefused("GitHub answered 403", status=403)

    scene.actions = Refuses
    verification = scene.verify()
    assert verification.verdict is Verdict.UNVERIFIED
    found = verification.situation.of("ci.conclusion")
    assert found is not None
    assert found.observed == "GitHub answered 403"
