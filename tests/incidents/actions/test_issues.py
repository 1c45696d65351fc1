"""GitHub's issues in step with the follow-ups: against a server that keeps them as GitHub does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest

from truegreen.errors import PlatformRefused, PlatformUnreachable, UsageError
from truegreen.incidents.actions.issues import LABEL, GitHub, steps
from truegreen.incidents.actions.proof import Followup
from truegreen.incidents.actions.standing import Standing
from truegreen.incidents.document import Action
from truegreen.secret import Secret

API = "https://api.github.com"


class FakeGitHub:
    """Issues as the REST API gives them: numbered, labelled, paged by 100, pull requests among
    them. ``requests`` holds what was asked."""

    def __init__(self) -> None:
        self.issues: list[dict[str, Any]] = []
        self.requests: list[httpx.Request] = []
        self.status = 0

    def add(self, **fields: Any) -> dict[str, Any]:
        issue = {"number": len(self.issues) + 1, "state": "open", "labels": [], **fields}
        self.issues.append(issue)
        return issue

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.status:
            return httpx.Response(self.status, json={"message": "no"})
        assert request.headers["Authorization"] == "Bearer very-secret"
        assert request.url.path.startswith("/repos/o/r/issues")
        if request.method == "GET":
            page = int(request.url.params["page"]) - 1
            ours = [one for one in self.issues if request.url.params["labels"] in one["labels"]]
            assert request.url.params["state"] == "all"
            return httpx.Response(200, json=ours[page * 100 : page * 100 + 100])
        told = json.loads(request.content)
        if request.method == "POST":
            return httpx.Response(201, json=self.add(**told))
        number = int(request.url.path.rpartition("/")[2])
        self.issues[number - 1].update(told)
        return httpx.Response(200, json=self.issues[number - 1])

    def client(self) -> GitHub:
        transport = httpx.MockTransport(self)
        return GitHub("o/r", Secret("very-secret"), api=API, transport=transport)

    def sync(self, *standings: Standing) -> list[str]:
        with self.client() as github:
            wanted = steps(standings, github.issues())
            for step in wanted:
                github.do(step)
        return [one.verb for one in wanted]


def one(name: str = "pin", *, closed: bool = False, title: str = "pin it") -> Standing:
    action = Action(name, title, "ada", date(2026, 6, 28))
    return Standing(Followup("2026-06-21-x", "docs/incidents/2026-06-21-x.md", action), closed)


def test_an_open_follow_up_gets_one_issue_and_the_second_time_nothing() -> None:
    github = FakeGitHub()
    assert github.sync(one()) == ["create"]
    assert github.sync(one()) == []
    (issue,) = github.issues
    assert (issue["title"], issue["labels"]) == ("pin it", [LABEL])
    assert "truegreen action check 2026-06-21-x/pin" in issue["body"]


def test_a_closed_one_closes_its_issue_and_gets_none_of_its_own() -> None:
    github = FakeGitHub()
    github.sync(one())
    assert github.sync(one(closed=True)) == ["close"]
    assert github.sync(one(closed=True)) == []
    assert github.issues[0]["state"] == "closed"
    assert FakeGitHub().sync(one(closed=True)) == []


def test_closing_the_issue_is_no_proof() -> None:
    github = FakeGitHub()
    github.sync(one())
    github.issues[0]["state"] = "closed"
    assert github.sync(one()) == ["open"]
    assert github.issues[0]["state"] == "open"


def test_a_run_that_was_killed_half_way_is_finished_by_the_next() -> None:
    github = FakeGitHub()
    with github.client() as client:
        client.do(steps([one()], [])[0])  # … and no more than that
    assert github.sync(one(), one("other")) == ["create"]
    assert len(github.issues) == 2


def test_two_issues_of_one_follow_up_become_one() -> None:
    github = FakeGitHub()
    github.sync(one())
    github.add(**{**github.issues[0], "number": 2})
    assert github.sync(one()) == ["close"]
    assert [issue["state"] for issue in github.issues] == ["open", "closed"]
    assert github.sync(one()) == []


def test_a_changed_title_is_put_in_step_and_line_ends_do_not_matter() -> None:
    github = FakeGitHub()
    github.sync(one())
    github.issues[0]["body"] = github.issues[0]["body"].replace("\n", "\r\n")
    assert github.sync(one()) == []
    assert github.sync(one(title="pin it, now")) == ["update"]
    assert github.issues[0]["title"] == "pin it, now"


def test_issues_beyond_the_first_page_are_found_and_others_left_alone() -> None:
    github = FakeGitHub()
    for number in range(150):
        github.add(title=f"{number}", body="nobody's", labels=[LABEL])
    github.sync(one())
    assert github.sync(one()) == []
    assert all(issue["title"] == str(number) for number, issue in enumerate(github.issues[:150]))


def test_a_pull_request_is_no_issue() -> None:
    github = FakeGitHub()
    github.sync(one())
    github.issues[0]["pull_request"] = {}
    assert github.sync(one()) == ["create"]


@pytest.mark.parametrize(("status", "error"), [(401, PlatformRefused), (403, PlatformRefused),
                                               (404, PlatformRefused), (302, PlatformRefused),
                                               (503, PlatformUnreachable)])  # fmt: skip
def test_a_refusal_is_a_sentence_without_the_token(status: int, error: type[Exception]) -> None:
    github = FakeGitHub()
    github.status = status
    with pytest.raises(error) as told:
        github.sync(one())
    assert "very-secret" not in repr(told.value)
    assert str(status) in str(told.value)
    assert len(github.requests) == 1  # a redirect is not followed: the token stays here


@pytest.mark.parametrize("api", ["http://api.github.com", "ftp://x", "http://evil.example"])
def test_the_token_goes_over_https_or_to_this_machine(api: str) -> None:
    with pytest.raises(UsageError, match="the token is not sent there"):
        GitHub("o/r", Secret("very-secret"), api=api)


def test_a_regressed_follow_up_opens_its_issue_again() -> None:
    github = FakeGitHub()
    github.sync(one())
    github.sync(one(closed=True))
    assert github.sync(replace(one(), problem="its proof was seen failing")) == ["open"]
