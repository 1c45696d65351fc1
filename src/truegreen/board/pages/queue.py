"""The page of the queue: what waits, in whose turn, and who works. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from truegreen.board.pages import fields
from truegreen.board.pages.run import app_address, shipping_address
from truegreen.board.words import age, span
from truegreen.model import short, stamp


def queue_document(
    told: Mapping[str, Any], known: Collection[str], underway: Collection[str], at: datetime
) -> dict[str, Any]:
    """``told``: the document of ``releases --queue``. ``known``: apps that have a page;
    ``underway``: those with a run that can be followed. Ages are by the database's clock."""
    now = fields.moment(told["now"]) or at
    stuck = any(one["stuck"] for one in told["apps"])
    return {
        **told,
        "page": "queue",
        "at": stamp(at),
        "verdict": "unverified" if stuck else "live" if told["apps"] else "none",
        "apps": [_app(one, known, underway, now) for one in told["apps"]],
        "workers": [{**one, "heard_age": _age(one["heard_of"], now)} for one in told["workers"]],
    }


def _app(
    told: Mapping[str, Any], known: Collection[str], underway: Collection[str], now: datetime
) -> dict[str, Any]:
    app, running, lease = told["app"], told["running"], told["lease"]
    return {
        **told,
        "app_address": app_address(app) if app in known else None,
        "shipping_address": shipping_address(app) if app in underway else None,
        "running": running and _running(running, now),
        "waiting": [
            {**one, "short": short(one["commit"]), "age": _age(one["asked_at"], now)}
            for one in told["waiting"]
        ],
        "lease": lease and _claim(lease, now),
        "tickets": [_claim(one, now) for one in told["tickets"]],
    }


def _running(job: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        **job,
        "short": short(job["commit"]),
        "lasted": _lasted(job["since"], now),
        "asked_age": _age(job["asked_at"], now),
        "heard_age": _age(job["heard_of"], now),
    }


def _claim(claim: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    commit = claim["commit"]
    what = short(commit) if len(commit) == 40 else commit
    return {**claim, "short": what, "lasted": _lasted(claim["since"], now)}


def _lasted(since: str, now: datetime) -> str:
    then = fields.moment(since)
    return span(max((now - then).total_seconds(), 0.0)) if then else ""


def _age(told: str, now: datetime) -> str:
    then = fields.moment(told)
    return age(then, now) if then else ""
