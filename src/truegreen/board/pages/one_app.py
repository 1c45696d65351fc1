"""The page of one app: its releases as a strip, its drift, its measures. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from truegreen.board.pages import fields
from truegreen.board.pages.fleet import lease
from truegreen.board.pages.run import (
    app_address,
    clears,
    released,
    running,
    sentence_of,
    short_run,
    verdict_of,
)
from truegreen.board.words import age
from truegreen.ledger import Entry, Record
from truegreen.ledger.dora import deployments
from truegreen.model import stamp
from truegreen.model.dora import Day, Measures, measure
from truegreen.outputs.dora import dora_document, dora_rows
from truegreen.ship.leases import Claim

STRIP = 60  # runs in the strip
LIST = 20  # runs in the list of one page
MEASURED = 40  # newest runs that the measures rest on
DAYS = 30


def app_document(
    app: str,
    last: Record,
    strip: Sequence[Entry],
    listed: Sequence[Entry],
    recent: Sequence[Record],
    watched: Sequence[Record],
    claim: Claim | None,
    shipping: Mapping[str, Any] | None,
    now: datetime,
) -> dict[str, Any]:
    """``shipping``: the run under way, in short. ``last``: the newest run, whole;
    ``strip`` and ``listed``: newest first; ``recent``: the
    newest MEASURED runs, newest first; ``watched``: the watch's records, newest first."""
    measures = measure(
        app, deployments(reversed(recent)), since=now - timedelta(days=DAYS), until=now
    )
    blocked = clears(last)
    return {
        "page": "app",
        "at": stamp(now),
        "app": app,
        "address": app_address(app),
        "verdict": verdict_of(last),
        "sentence": sentence_of(last),
        "last": short_run(last, now),
        "released": released(last.body),
        "running": running(last.body),
        "lease": lease(claim),
        "shipping": shipping,
        "blocked": blocked if blocked["why"] else None,
        "strip": [short_run(run, now) for run in reversed(strip)],
        "runs": [short_run(run, now) for run in listed],
        "older": listed[-1].id if len(listed) == LIST else None,
        "schema": schema(last),
        "drift": drift(watched, now),
        "watched": bool(watched),
        "dora": {
            **dora_document(measures),
            "rows": [
                {"name": name, "value": value, "rests_on": base}
                for name, value, base in dora_rows(measures)
            ],
            "bars": bars(measures),
            "capped": len(recent) == MEASURED,
        },
    }


def schema(last: Record) -> dict[str, str] | None:
    """Where the database is against the code that serves, as the last run found it."""
    told = fields.table(last.body, "schema")
    current = fields.text(told, "current")
    if not current:
        return None
    relation = fields.text(told, "relation") or "unknown"
    heads = ", ".join(fields.texts(told, "heads")) or "no head"
    return {"current": current, "heads": heads, "relation": relation}


def drift(watched: Sequence[Record], now: datetime) -> list[dict[str, str]]:
    """What the watch saw change and has not seen gone again, newest first."""
    settled: set[tuple[str, str]] = set()
    found = []
    for record in watched:
        key = (fields.text(record.body, "change"), fields.text(record.body, "key"))
        if key in settled:
            continue
        settled.add(key)
        if record.body.get("gone") is not True:
            told = fields.text(record.body, "told")
            found.append(
                {"change": key[0], "told": told, "at": stamp(record.at), "age": age(record.at, now)}
            )
    return found


def bars(measures: Measures) -> list[dict[str, Any]]:
    """A bar a day, in parts of a hundred: x and width across, y and height down."""
    most = max((_runs(one) for one in measures.days), default=0)
    width = 100 / max(len(measures.days), 1)
    found: list[dict[str, Any]] = []
    for number, one in enumerate(measures.days):
        y = 100.0
        for verdict in ("green", "unverified", "red"):
            count = getattr(one, verdict)
            if count:
                height = 100 * count / most
                y -= height
                found.append(
                    {
                        "x": round(number * width + width * 0.12, 2),
                        "width": round(width * 0.76, 2),
                        "y": round(y, 2),
                        "height": round(height, 2),
                        "verdict": verdict,
                        "told": f"{one.day}: {count} {verdict}",
                    }
                )
    return found


def _runs(one: Day) -> int:
    return one.green + one.red + one.unverified
