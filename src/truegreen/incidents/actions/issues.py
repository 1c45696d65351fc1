"""GitHub's issues in step with the follow-ups: what is to be done (pure), and the client that does
it. Issues are found by a label, in all states.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from truegreen.github import Connection
from truegreen.incidents.actions.standing import Standing

LABEL = "truegreen-action"
_MARK = re.compile(r"<!-- truegreen:action ([^\s>]+) -->")
_MOST_PAGES = 50


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


class GitHub(Connection):
    """The issues of a repository; the token needs ``issues: write``."""

    def issues(self) -> Iterator[Issue]:
        """Every issue with our label and mark, open and closed. Raises Unverified errors; a page
        that could not be read is never skipped."""
        query = {"labels": LABEL, "state": "all"}
        for item in self.pages("/issues", query, most=_MOST_PAGES):
            mark = _MARK.search(str(item.get("body") or ""))
            if mark and "pull_request" not in item:
                yield Issue(
                    int(item["number"]),
                    mark[1],
                    str(item.get("title") or ""),
                    str(item.get("body") or ""),
                    item.get("state") == "open",
                )

    def do(self, step: Step) -> None:
        """Does one step. Raises Unverified errors."""
        if step.number is None:
            self.ask("POST", "/issues", json=step.fields)
        else:
            self.ask("PATCH", f"/issues/{step.number}", json=step.fields)
