"""GitHub's workflow runs are read as they are, and an answer that is none is never a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from truegreen.errors import PlatformRefused, PlatformUnreachable, Unverified, UsageError
from truegreen.github import Actions
from truegreen.secret import Secret

SHA = "9" * 40
RUN = {
    "id": 7,
    "name": "CI",
    "path": ".github/workflows/ci.yml@main",
    "event": "push",
    "status": "completed",
    "conclusion": "success",
    "run_number": 12,
    "run_attempt": 2,
    "html_url": "https://github.com/example/service/actions/runs/7",
}


def actions(
    answer: Callable[[httpx.Request], httpx.Response], token: Secret | None = None
) -> Actions:
    return Actions("example/service", token, transport=httpx.MockTransport(answer))


def told(status: int = 200, **body: Any) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(status, json=body)


def test_runs_are_asked_by_commit_with_the_token() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"total_count": 1, "workflow_runs": [RUN]})

    runs, digest = actions(answer, Secret("ghs_secret")).runs(SHA)
    assert [(run.file, run.conclusion, run.attempt) for run in runs] == [("ci.yml", "success", 2)]
    assert digest.startswith("sha256:")
    assert asked[0].url.path == "/repos/example/service/actions/runs"
    assert asked[0].url.params["head_sha"] == SHA
    assert asked[0].headers["authorization"] == "Bearer ghs_secret"


def test_all_pages_are_read() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        found = [{**RUN, "id": page * 1000 + n} for n in range(100 if page < 3 else 4)]
        return httpx.Response(200, json={"workflow_runs": found})

    assert len(actions(answer).runs(SHA)[0]) == 204


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, PlatformRefused),
        (403, PlatformRefused),
        (404, PlatformRefused),
        (302, PlatformRefused),
        (500, PlatformUnreachable),
        (503, PlatformUnreachable),
    ],
)
def test_what_is_no_answer_is_could_not_find_out(status: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        actions(told(status)).runs(SHA)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"workflow_runs": 5}',
        b'{"workflow_runs": [5]}',
        json.dumps({"workflow_runs": [{**RUN, "id": "7"}]}).encode(),
        json.dumps({"workflow_runs": [{**RUN, "status": None}]}).encode(),
    ],
)
def test_an_answer_that_cannot_be_understood_is_could_not_find_out(body: bytes) -> None:
    with pytest.raises(Unverified):
        actions(lambda request: httpx.Response(200, content=body)).runs(SHA)


def test_no_connection_is_could_not_find_out() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no")

    with pytest.raises(PlatformUnreachable):
        actions(answer).runs(SHA)


@pytest.mark.parametrize("name", ["", "service", "a/b/c", "../x", "a b/c", "a/b?x=1"])
def test_a_name_that_is_no_repository_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="owner/name"):
        Actions(name, None)


def test_a_short_commit_is_refused_because_the_api_matches_whole_ones_only() -> None:
    with pytest.raises(UsageError, match="whole commit"):
        actions(told(workflow_runs=[])).runs("9999999")
