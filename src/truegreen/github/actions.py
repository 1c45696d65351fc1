"""Workflow runs and their jobs, by commit.

Facts: https://docs.github.com/en/rest/actions/workflow-runs and …/workflow-jobs, API version
2022-11-28. A run's ``conclusion`` is null until its ``status`` is ``completed``; ``run_attempt``
counts reruns, and the list holds each run's latest attempt only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx

from truegreen.errors import PlatformRefused, PlatformUnreachable, UsageError
from truegreen.heroku.fields import Fields, UnexpectedAnswer, parse_json
from truegreen.heroku.localhost import client as http_client
from truegreen.model import digest_of
from truegreen.secret import Secret

API = "https://api.github.com"
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PAGE = 100
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


class Actions:
    """Reads the workflow runs of one repository (``owner/name``).

    ``token`` needs ``actions: read``; None for a public repository. It goes to ``api`` and nowhere
    else: no redirect is followed. Raises UsageError for a repository's name that is none.
    """

    def __init__(
        self,
        repository: str,
        token: Secret | None,
        *,
        api: str = API,
        timeout: float = 10.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if not _REPOSITORY.fullmatch(repository):
            raise UsageError(f"{repository!r} is no repository", hint="write it as owner/name")
        self.repository = repository
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "truegreen",
        }
        if token is not None:
            headers["Authorization"] = f"Bearer {token.reveal()}"
        base = f"{api.rstrip('/')}/repos/{repository}/actions"
        self._base = base
        self._http = (
            httpx.Client(transport=transport, headers=headers, timeout=timeout)
            if transport is not None
            else http_client(headers=headers, timeout=timeout)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def runs(self, commit: str) -> tuple[tuple[WorkflowRun, ...], str]:
        """All runs whose head is ``commit`` (a full hash), and the digest of what was read.

        Raises UsageError for a short hash, PlatformUnreachable or PlatformRefused when GitHub does
        not say, UnexpectedAnswer for an answer that is none.
        """
        if not _SHA.fullmatch(commit):
            raise UsageError(f"{commit!r} is not a whole commit", hint="git rev-parse HEAD")
        raw = self._pages("/runs", "workflow_runs", {"head_sha": commit})
        runs = tuple(_run(Fields("workflow run", one)) for one in raw)
        return runs, digest_of(raw)

    def jobs(self, run: WorkflowRun) -> tuple[Job, ...]:
        """The jobs of the run's latest attempt."""
        raw = self._pages(f"/runs/{run.id}/jobs", "jobs", {"filter": "latest"})
        return tuple(_job(Fields("job", one)) for one in raw)

    def _pages(self, path: str, key: str, query: dict[str, str]) -> list[Any]:
        found: list[Any] = []
        for page in range(1, _MOST_PAGES + 1):
            told = self._get(path, {**query, "per_page": str(_PAGE), "page": str(page)})
            entries = told.get(key) if isinstance(told, dict) else None
            if not isinstance(entries, list):
                raise UnexpectedAnswer("GitHub", key, "is no list")
            found += entries
            if len(entries) < _PAGE:
                return found
        raise UnexpectedAnswer("GitHub", key, f"has more than {_PAGE * _MOST_PAGES} entries")

    def _get(self, path: str, query: dict[str, str]) -> Any:
        try:
            reply = self._http.get(self._base + path, params=query, follow_redirects=False)
        except httpx.HTTPError as error:
            raise PlatformUnreachable(f"GitHub gave no answer: {type(error).__name__}") from error
        if reply.status_code >= 500:
            raise PlatformUnreachable(f"GitHub answered {reply.status_code}")
        if reply.status_code != 200:
            raise PlatformRefused(
                f"GitHub answered {reply.status_code} for {self.repository}",
                status=reply.status_code,
                hint="is the token good, and may it read actions?"
                if reply.status_code in (401, 403, 404)
                else "",
            )
        kind = reply.headers.get("content-type", "")
        return parse_json(reply.content, what="GitHub", content_type=kind)


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
