"""The page of all apps: what needs somebody first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from truegreen.board.pages.run import (
    INTERRUPTED,
    app_address,
    clears,
    released,
    running,
    sentence_of,
    short_run,
    verdict_of,
)
from truegreen.board.pages.shipping import Followed, in_short
from truegreen.ledger import Entry, Record
from truegreen.model import short, stamp
from truegreen.ship.leases import Claim

PAGE = 40  # apps of one page
SHIPPING = 12  # runs under way that a page names
_ORDER = {"red": 0, INTERRUPTED: 1, "unverified": 2, "green": 3}


def in_order(latest: Sequence[Entry]) -> list[Entry]:
    """Trouble first, and among equals the newest first."""
    return sorted(latest, key=lambda run: (_ORDER[verdict_of(run)], -run.id))


def chosen(latest: Sequence[Entry], wanted: str) -> list[Entry]:
    """Those whose name holds ``wanted``, in order."""
    return in_order([run for run in latest if wanted.lower() in run.app.lower()])


def fleet_document(
    latest: Sequence[Entry],
    records: Sequence[Record],
    held: Mapping[str, Claim],
    underway: Mapping[str, Followed],
    now: datetime,
    *,
    frozen: tuple[str, str] = ("", ""),
    wanted: str = "",
    page: int = 1,
    begun: bool = True,
) -> dict[str, Any]:
    """``latest``: the last run of every app; ``records``: those of this page, whole, in order."""
    counts = dict.fromkeys(_ORDER, 0)
    for run in latest:
        counts[verdict_of(run)] += 1
    found = chosen(latest, wanted)
    pages = max(1, -(-len(found) // PAGE))
    reason, command = frozen
    newest = {run.app: run for run in latest}
    shipping = [in_short(one, newest.get(app), now) for app, one in underway.items()]
    shipping = sorted(
        filter(None, shipping), key=lambda one: (one["state"] != "stopped", one["app"])
    )
    return {
        "page": "apps",
        "at": stamp(now),
        "begun": begun,
        "sentence": _sentence(counts, latest, len(shipping)),
        "verdict": next((one for one in _ORDER if counts[one]), "none"),
        "counts": counts,
        "wanted": wanted,
        "frozen": {"why": reason, "command": command} if reason else None,
        "shipping": shipping[:SHIPPING],
        "shipping_count": len(shipping),
        "apps": [_app(record, held.get(record.app), now) for record in records],
        "paging": {"page": page, "pages": pages, "apps": len(found)},
    }


def _sentence(counts: Mapping[str, int], latest: Sequence[Entry], shipping: int) -> str:
    if not latest and shipping:
        runs = "1 run is" if shipping == 1 else f"{shipping} runs are"
        return f"{runs} under way; nothing has a verdict yet."
    if not latest:
        return "Nothing has been shipped or verified yet."
    every = len(latest)
    if counts["green"] == every:
        return f"{latest[0].app} is green." if every == 1 else f"All {every} apps are green."
    if every == 1:
        return f"{latest[0].app} is {verdict_of(latest[0])}."
    told = [f"{number} {name}" for name, number in counts.items() if number and name != "green"]
    are = "is" if told[0].startswith("1 ") else "are"
    listed = f"{', '.join(told[:-1])} and {told[-1]}" if len(told) > 1 else told[0]
    return f"Of {every} apps, {listed.replace(' ', f' {are} ', 1)}."


def _app(record: Record, claim: Claim | None, now: datetime) -> dict[str, Any]:
    blocked = clears(record)
    return {
        **short_run(record, now),
        "app_address": app_address(record.app),
        "sentence": sentence_of(record),
        "released": released(record.body),
        "running": running(record.body),
        "lease": lease(claim),
        "blocked": blocked if blocked["why"] else None,
    }


def lease(claim: Claim | None) -> dict[str, str] | None:
    """Who ships an app at this moment."""
    if claim is None:
        return None
    what = short(claim.commit) if len(claim.commit) == 40 else claim.commit
    return {
        "owner": claim.owner,
        "what": what,
        "since": stamp(datetime.fromtimestamp(claim.taken_at, UTC)),
        "until": stamp(datetime.fromtimestamp(claim.expires_at, UTC)),
        "command": "truegreen releases --lease",
    }
