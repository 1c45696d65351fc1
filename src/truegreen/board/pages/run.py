"""One run in short, as lists of runs and the page of all apps show it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from truegreen.board.pages import fields
from truegreen.board.words import age
from truegreen.ledger import Entry, Record
from truegreen.model import short, stamp

INTERRUPTED = "interrupted"


def verdict_of(run: Entry | Record) -> str:
    """green, red, unverified; ``interrupted`` for a run that ended before there was one."""
    return run.verdict if run.verdict in ("green", "red", "unverified") else INTERRUPTED


def app_address(app: str) -> str:
    return f"/apps/{quote(app, safe='')}"


def shipping_address(app: str) -> str:
    """Of the page of the app's run that is under way."""
    return f"/shipping/{quote(app, safe='')}"


def short_run(run: Entry | Record, now: datetime) -> dict[str, Any]:
    """What stands of a run without its body."""
    return {
        "record": run.id,
        "address": f"/releases/{run.id}",
        "app": run.app,
        "kind": run.kind,
        "verdict": verdict_of(run),
        "commit": run.commit,
        "short": short(run.commit) if run.commit else "",
        "at": stamp(run.at),
        "age": age(run.at, now),
    }


def sentence_of(record: Record) -> str:
    """The run's sentence; where it has none, what became of it."""
    told = fields.text(record.body, "sentence")
    if told:
        return told
    step = fields.text(record.body, "interrupted")
    if step:
        return f"The {record.kind} of {record.app} was interrupted in its step {step}."
    return f"The {record.kind} of {record.app} left no sentence."


def released(body: Mapping[str, Any]) -> dict[str, str]:
    """What was released: the first axis."""
    release = fields.table(body, "release")
    return {"version": fields.version(release), "status": fields.text(release, "status")}


def running(body: Mapping[str, Any]) -> dict[str, str]:
    """What runs: the second axis."""
    serving = fields.table(body, "serving")
    commit = fields.text(serving, "says") or fields.text(serving, "commit")
    return {
        "version": fields.version(serving),
        "commit": commit,
        "short": short(commit) if commit else "",
    }


def clears(record: Record) -> dict[str, str]:
    """What to do about a run that is not green: why, and the command. Both "" when it is."""
    advice = fields.table(record.body, "recommendation")
    why, command = fields.text(advice, "why"), fields.text(advice, "command")
    action = fields.text(advice, "action")
    if why:
        return {"why": f"{action}: {why}" if action else why, "command": command or _next(record)}
    if verdict_of(record) == INTERRUPTED:
        step = fields.text(record.body, "interrupted") or "an unknown step"
        return {"why": f"interrupted in {step}", "command": f"truegreen {record.kind}"}
    if verdict_of(record) == "green":
        return {"why": "", "command": ""}
    return {"why": "no recommendation was recorded", "command": _next(record)}


def _next(record: Record) -> str:
    return "truegreen verify" if record.verdict == "unverified" else "truegreen ship"
