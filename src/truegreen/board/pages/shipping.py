"""The page of a run that is under way, and that run in short for the other pages. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from truegreen.board.pages import fields
from truegreen.board.pages.chain import chain
from truegreen.board.pages.run import app_address, shipping_address, short_run
from truegreen.board.words import age, clock, span
from truegreen.ledger import Entry
from truegreen.model import short, stamp
from truegreen.ship.underway import Underway

NO_SIGN = "Its lease has expired, or its process has ended. The platform may have gone on alone."


@dataclass(frozen=True, slots=True)
class Followed:
    """A run that has begun, and whether its lease says that it lives."""

    run: Underway
    alive: bool

    @property
    def state(self) -> str:
        """running; stopped, when it was killed; ended, when it said so."""
        return "ended" if self.run.ended else "running" if self.alive else "stopped"

    def is_settled_by(self, newest: Entry | None) -> bool:
        """Whether the app's newest run in the ledger says what became of this one."""
        if newest is None or newest.id <= self.run.beginning.after:
            return False
        return self.run.ended or newest.at.timestamp() >= self.run.told_at


def in_short(followed: Followed | None, newest: Entry | None, now: datetime) -> Any:
    """What the other pages say of a run under way; None when there is none, or it is settled."""
    if followed is None or followed.run.ended:
        return None
    if followed.state == "stopped" and followed.is_settled_by(newest):
        return None
    begun, progress = followed.run.beginning, followed.run.progress
    app = name_of(followed)
    since = fields.moment(progress.step_at)
    return {
        "app": app,
        "address": shipping_address(app),
        "state": followed.state,
        "kind": begun.kind,
        "commit": begun.commit,
        "short": short(begun.commit) if begun.commit else "",
        "by": begun.owner,
        "step": progress.step or "start",
        "since": stamp(since) if since else _stamp(followed.run.began_at),
        "clock": clock(since or _moment(followed.run.began_at)),
        "told": stamp(_moment(followed.run.told_at)),
        "told_age": age(_moment(followed.run.told_at), now),
        "command": begun.command if followed.state == "stopped" else "",
    }


def shipping_document(
    followed: Followed, previous: Entry | None, now: datetime, waits: int | None = None
) -> dict[str, Any]:
    """``previous``: the app's newest run in the ledger. ``waits``: how many wait for it, as far as
    that is known."""
    run = followed.run
    begun, progress, body = run.beginning, run.progress, run.progress.body or {}
    since = fields.moment(progress.step_at)
    app, told = name_of(followed), _moment(run.told_at)
    state = followed.state
    until = now if state == "running" else told
    return {
        "page": "shipping",
        "at": stamp(now),
        "app": app,
        "app_address": app_address(app) if previous else None,
        "address": shipping_address(app),
        "state": state,
        "verdict": "live" if state == "running" else "interrupted",
        "sentence": _sentence(followed),
        "kind": begun.kind,
        "commit": begun.commit,
        "short": short(begun.commit) if begun.commit else "",
        "by": begun.owner,
        "step": progress.step or "start",
        "since": stamp(since) if since else _stamp(run.began_at),
        "clock": clock(since or _moment(run.began_at)),
        "began": _stamp(run.began_at),
        "lasted": span(max((until - _moment(run.began_at)).total_seconds(), 0.0)),
        "told": stamp(told),
        "told_age": age(told, now),
        "blocked": {"why": NO_SIGN, "command": begun.command} if state == "stopped" else None,
        "chain": chain(body, told, until=until),
        "output": _output(fields.table(body, "output")),
        "previous": short_run(previous, now) if previous else None,
        "waits": waits,
    }


def name_of(followed: Followed) -> str:
    return followed.run.beginning.app.rpartition("/apps/")[2]


def _sentence(followed: Followed) -> str:
    begun, progress = followed.run.beginning, followed.run.progress
    app, what = name_of(followed), short(begun.commit) if begun.commit else ""
    step = progress.step or "start"
    if followed.state == "running":
        doing = f"{what} is being shipped to {app}" if what else f"A {begun.kind} of {app} is on"
        return f"{doing}, in its step {step}."
    run = f"The ship of {what} to {app}" if what else f"The {begun.kind} of {app}"
    if followed.state == "stopped":
        return f"{run} stopped in its step {step}, without a verdict."
    return f"{run} ended in its step {step}, without a verdict."


def _output(output: Mapping[str, Any]) -> dict[str, Any] | None:
    """The last lines, with their numbers in the whole output."""
    lines, heard = fields.texts(output, "lines"), output.get("heard")
    if not lines or type(heard) is not int:
        return None
    first = max(heard - len(lines), 0)
    return {
        "step": fields.text(output, "step"),
        "skipped": first,
        "lines": [{"number": first + n, "text": text} for n, text in enumerate(lines, 1)],
    }


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _stamp(seconds: float) -> str:
    return stamp(_moment(seconds))
