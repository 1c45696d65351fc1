"""GitHub's issues in step with the follow-ups: what is to be done (pure), and the client that does
it. REST API as docs.github.com describes it (version 2022-11-28): issues by label, all states,
100 a page. The token goes to the API's host alone, and redirects are not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import httpx

from truegreen.errors import PlatformRefused, PlatformUnreachable, UsageError
from truegreen.heroku.localhost import client as http_client
from truegreen.incidents.actions.standing import Standing
from truegreen.secret import Secret

LABEL = "truegreen-action"
_MARK = re.compile(r"<!-- truegreen:action ([^\s>]+) -->")
_MOST_PAGES = 50
_TIMEOUT = 20.0  # seconds


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue that carries our mark. ``name``: the follow-up's."""

    number: int
    name: str
    title: str
    body: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: create an issue, or change one."""

    verb: str  # create | update | open | close
    name: str
    why: str
    number: int | None = None
    fields: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"verb": self.verb, "name": self.name, "why": self.why, "number": self.number}


def steps(standings: Sequence[Standing], issues: Iterable[Issue]) -> list[Step]:
    """What brings the issues in step: none when they are. The oldest issue of a follow-up counts;
    further ones are closed. Issues of follow-ups that are gone are left alone."""
    by_name: dict[str, list[Issue]] = {}
    for one in sorted(issues, key=lambda issue: issue.number):
        by_name.setdefault(one.name, []).append(one)
    wanted: list[Step] = []
    for standing in standings:
        title, body = _title(standing), _body(standing)
        there = by_name.get(standing.name, [])
        if not there:
            if not standing.closed:
                told = {"title": title, "body": body, "labels": [LABEL]}
                wanted.append(Step("create", standing.name, "it has no issue", None, told))
            continue
        first, *more = there
        if (first.title, first.body.replace("\r\n", "\n").strip()) != (title, body.strip()):
            told = {"title": title, "body": body}
            wanted.append(Step("update", standing.name, "it was changed", first.number, told))
        if standing.closed and first.is_open:
            told = {"state": "closed", "state_reason": "completed"}
            wanted.append(Step("close", standing.name, "its proof holds", first.number, told))
        elif not standing.closed and not first.is_open:
            why = "it is open: closing an issue is no proof"
            told = {"state": "open"}
            wanted.append(Step("open", standing.name, why, first.number, told))
        for double in more:
            if double.is_open:
                told = {"state": "closed", "state_reason": "not_planned"}
                why = f"#{first.number} is its issue"
                wanted.append(Step("close", standing.name, why, double.number, told))
    return wanted


def _title(standing: Standing) -> str:
    title = " ".join((standing.followup.action.title or standing.name).split())
    return title if len(title) <= 200 else title[:199] + "…"


def _body(standing: Standing) -> str:
    action = standing.followup.action
    rows = [
        f"A follow-up of `{standing.followup.review}`.",
        "",
        f"- owner: {action.owner or 'nobody yet'}",
        f"- due: {action.due or 'no day'}",
        f"- required before the next deploy: {'yes' if action.required else 'no'}",
        f"- done when: `truegreen action check {standing.name}` holds",
        "",
        "It is closed by its proof. Closing this issue does not close it.",
        f"<!-- truegreen:action {standing.name} -->",
    ]
    return "\n".join(rows)


class GitHub:
    """The issues of one repository. A context manager."""

    def __init__(
        self,
        api: str,
        repository: str,
        token: Secret,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """UsageError for an address that the token may not be sent to."""
        host = urlsplit(api)
        local = host.hostname in ("localhost", "127.0.0.1", "::1")
        if host.scheme != "https" and not (host.scheme == "http" and local):
            raise UsageError(f"{api}: the token is not sent there", hint="an https address")
        self._path = f"{api.rstrip('/')}/repos/{repository}/issues"
        more: dict[str, Any] = {"transport": transport} if transport else {}
        self._http = http_client(
            timeout=_TIMEOUT,
            headers={
                "Authorization": f"Bearer {token.reveal()}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
                "User-Agent": "truegreen",
            },
            **more,
        )

    def issues(self) -> Iterator[Issue]:
        """Every issue with our label and mark, open and closed. Raises PlatformRefused and
        PlatformUnreachable; Unverified pages are never skipped."""
        for page in range(1, _MOST_PAGES + 1):
            query = {"labels": LABEL, "state": "all", "per_page": "100", "page": str(page)}
            listed = self._ask("GET", self._path, params=query)
            if not isinstance(listed, list):
                raise PlatformUnreachable("GitHub answered with something that is no list")
            for item in listed:
                mark = _MARK.search(str(item.get("body") or ""))
                if mark and "pull_request" not in item:
                    yield Issue(
                        int(item["number"]),
                        mark[1],
                        str(item.get("title") or ""),
                        str(item.get("body") or ""),
                        item.get("state") == "open",
                    )
            if len(listed) < 100:
                return
        raise PlatformUnreachable(f"more than {_MOST_PAGES} pages of issues")

    def do(self, step: Step) -> None:
        """Does one step. Raises PlatformRefused and PlatformUnreachable."""
        if step.number is None:
            self._ask("POST", self._path, json=step.fields)
        else:
            self._ask("PATCH", f"{self._path}/{step.number}", json=step.fields)

    def _ask(self, method: str, url: str, **more: Any) -> Any:
        try:
            answer = self._http.request(method, url, **more)
            if answer.status_code >= 500:
                raise PlatformUnreachable(f"GitHub answered {answer.status_code}")
            if not answer.is_success:
                hint = {
                    401: "is the token right?",
                    403: "may the token write issues?",
                    404: "is the repository's name right, and may the token see it?",
                }
                raise PlatformRefused(
                    f"GitHub refused {method} {urlsplit(url).path}: {answer.status_code}",
                    status=answer.status_code,
                    hint=hint.get(answer.status_code, ""),
                )  # fmt: skip
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise PlatformUnreachable(f"GitHub gave no answer: {type(error).__name__}") from error

    def __enter__(self) -> GitHub:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()
