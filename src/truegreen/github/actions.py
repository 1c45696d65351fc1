"""Workflow runs and their jobs, by commit.

Facts: https://docs.github.com/en/rest/actions/workflow-runs and …/workflow-jobs, API version
2022-11-28. A run's ``conclusion`` is null until its ``status`` is ``completed``; ``run_attempt``
counts reruns, and the list holds each run's latest attempt only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from truegreen.errors import UsageError
from truegreen.github.connection import Connection
from truegreen.heroku.fields import Fields
from truegreen.model import digest_of

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MOST_PAGES = 5


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """The latest attempt of one run. ``path`` is its workflow's, ``.github/workflows/x.yml``."""

    id: int
    name: str
    path: str
    event: str
    status: str
    conclusion: str | None
    number: int
    attempt: int
    url: str = field(repr=False)

    @property
    def file(self) -> str:
        """The workflow's file name, ``x.yml``."""
        return self.path.partition("@")[0].rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Job:
    """One job of a run's latest attempt."""

    name: str
    status: str
    conclusion: str | None


class Actions(Connection):
    """Reads the workflow runs of a repository; the token needs ``actions: read``."""

    def runs(self, commit: str) -> tuple[tuple[WorkflowRun, ...], str]:
        """All runs whose head is ``commit`` (a full hash), and the digest of what was read.

        Raises UsageError for a short hash, PlatformUnreachable or PlatformRefused when GitHub does
        not say, UnexpectedAnswer for an answer that is none.
        """
        if not _SHA.fullmatch(commit):
            raise UsageError(f"{commit!r} is not a whole commit", hint="git rev-parse HEAD")
        raw = self.pages(
            "/actions/runs", {"head_sha": commit}, most=_MOST_PAGES, key="workflow_runs"
        )
        runs = tuple(_run(Fields("workflow run", one)) for one in raw)
        return runs, digest_of(raw)

    def jobs(self, run: WorkflowRun) -> tuple[Job, ...]:
        """The jobs of the run's latest attempt."""
        raw = self.pages(
            f"/actions/runs/{run.id}/jobs", {"filter": "latest"}, most=_MOST_PAGES, key="jobs"
        )
        return tuple(_job(Fields("job", one)) for one in raw)


def _run(one: Fields) -> WorkflowRun:
    return WorkflowRun(
        id=one.whole("id", least=1),
        name=one.optional_text("name") or "",
        path=one.text("path"),
        event=one.text("event"),
        status=one.text("status"),
        conclusion=one.optional_text("conclusion"),
        number=one.whole("run_number", least=0),
        attempt=one.whole("run_attempt", least=1),
        url=one.text("html_url"),
    )


def _job(one: Fields) -> Job:
    return Job(one.text("name"), one.text("status"), one.optional_text("conclusion"))
