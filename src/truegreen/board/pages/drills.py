"""The page of drills: how long a fault went unseen then, and how long it takes now. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from truegreen.board.pages import fields
from truegreen.board.words import age, span
from truegreen.incidents.drills.drill import Drill
from truegreen.incidents.folder import Review
from truegreen.ledger import Record
from truegreen.model import stamp

KIND = "drill"  # of the records; their body is DrillResult.as_json()


def drills_document(
    drills: Sequence[Drill],
    records: Sequence[Record],
    reviews: Sequence[Review],
    now: datetime,
) -> dict[str, Any]:
    """``records``: those of kind ``drill``, newest first; the newest of each drill counts."""
    newest: dict[str, Record] = {}
    for record in records:
        newest.setdefault(fields.text(record.body, "name"), record)
    found = [_drill(one, newest.get(one.name), reviews, now) for one in drills]
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
    drill: Drill, record: Record | None, reviews: Sequence[Review], now: datetime
) -> dict[str, Any]:
    review = next((one for one in reviews if one.id.endswith(drill.name)), None)
    then = review.document.incident if review else None
    gap = then.detection.gap if then and then.detection else None
    return {
        "name": drill.name,
        "title": drill.title,
        "checks": list(drill.checks),
        "within": span(drill.within),
        "incident": review and {"id": review.id, "address": f"/incidents/{review.id}"},
        "then": None
        if then is None
        else {
            "by": then.detection.by.replace("`", "") if then.detection else "",
            "gap": "" if gap is None else span(gap),
            "seconds": gap,
        },
        "last": None if record is None else _last(record, now),
        "command": f"truegreen drill run {drill.name}",
    }  # fmt: skip


def _last(record: Record, now: datetime) -> dict[str, Any]:
    body = record.body
    seconds = body.get("seconds")
    return {
        "record": record.id,
        "at": stamp(record.at),
        "age": age(record.at, now),
        "passed": body.get("passed") is True,
        "took": span(seconds) if isinstance(seconds, int | float) else "",
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
