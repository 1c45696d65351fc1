"""The page of drills: how long a fault went unseen then, and how long it takes now. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from truegreen.board.pages import fields
from truegreen.board.words import age, span
from truegreen.incidents.folder import Review
from truegreen.ledger import Record
from truegreen.model import stamp


def drills_document(
    drills: Sequence[Mapping[str, Any]],
    records: Sequence[Record],
    reviews: Sequence[Review],
    now: datetime,
) -> dict[str, Any]:
    """``drills``: as ``drill list --json`` tells them. ``records``: those of kind ``drill``, newest
    first, their body that of ``drill run --json``; the newest of each drill counts."""
    newest: dict[str, Record] = {}
    for record in records:
        newest.setdefault(fields.text(record.body, "name"), record)
    found = [_drill(one, newest.get(fields.text(one, "name")), reviews, now) for one in drills]
    ran = [one for one in found if one["last"]]
    return {
        "page": "drills",
        "at": stamp(now),
        "sentence": _sentence(len(found), ran),
        "verdict": _verdict(len(found), ran),
        "drills": found,
    }


def _sentence(every: int, ran: Sequence[Mapping[str, Any]]) -> str:
    if not ran:
        return "No drill has been recorded here yet."
    broken = [one["name"] for one in ran if not one["last"]["passed"]]
    if broken:
        return f"A check does not catch its fault: {', '.join(broken)}."
    if len(ran) < every:
        return f"{len(ran)} of {every} drills have run, each detected as it should be."
    return "Each drill was detected as it should be."


def _verdict(every: int, ran: Sequence[Mapping[str, Any]]) -> str:
    if any(not one["last"]["passed"] for one in ran):
        return "red"
    return "green" if every and len(ran) == every else "unverified"


def _drill(
    drill: Mapping[str, Any], record: Record | None, reviews: Sequence[Review], now: datetime
) -> dict[str, Any]:
    name, incident = fields.text(drill, "name"), fields.text(drill, "incident")
    review = next((one for one in reviews if incident and one.id == incident), None)
    within = drill.get("within")
    last = None if record is None else _last(record, now)
    return {
        "name": name,
        "title": fields.text(drill, "title"),
        "checks": fields.texts(drill, "checks"),
        "within": span(within) if isinstance(within, int | float) else "",
        "incident": review and {"id": review.id, "address": f"/incidents/{review.id}"},
        "then": _then(review, record),
        "last": last,
        "command": f"truegreen drill run {name}",
    }


def _then(review: Review | None, record: Record | None) -> dict[str, Any] | None:
    """The gap of that day: what the drill's last run knows of it, else what the review says."""
    gap = fields.table(record.body, "gap") if record else {}
    seconds, told = gap.get("then"), fields.text(gap, "then_told")
    if not told and not isinstance(seconds, int | float):
        detection = review.document.incident.detection if review else None
        if detection is None:
            return None
        seconds, told = detection.gap, detection.by.replace("`", "")
    known = float(seconds) if isinstance(seconds, int | float) else None
    return {"by": told, "gap": "" if known is None else span(known), "seconds": known}


def _last(record: Record, now: datetime) -> dict[str, Any]:
    body = record.body
    seconds, gap = body.get("seconds"), fields.table(body, "gap").get("now")
    return {
        "record": record.id,
        "at": stamp(record.at),
        "age": age(record.at, now),
        "passed": body.get("passed") is True,
        "took": span(seconds) if isinstance(seconds, int | float) else "",
        "gap": span(gap) if isinstance(gap, int | float) else "",
        "problems": fields.texts(body, "problems"),
        "runs": [_run(one) for one in fields.tables(body, "runs", 60)],
    }


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
    that_day, document = fields.table(run, "that_day"), fields.table(run, "truegreen")
    problems = fields.texts(run, "problems")
    return {
        "label": fields.text(run, "label"),
        "control": run.get("control") is True,
        "world": fields.text(run, "world"),
        "that_day": fields.text(that_day, "conclusion"),
        "verdict": fields.text(document, "verdict"),
        "sentence": fields.text(document, "sentence"),
        "problems": problems,
    }
