"""Each page's document, read from the sources: which few records a page takes. A page that is not
there is None. How a document is made of them is pages/'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from truegreen.board.pages.drills import drills_document
from truegreen.board.pages.fleet import PAGE, chosen, fleet_document
from truegreen.board.pages.incidents import incident_document, list_document
from truegreen.board.pages.one_app import LIST, MEASURED, STRIP, app_document
from truegreen.board.pages.one_release import release_document
from truegreen.board.pages.run import shipping_address
from truegreen.board.pages.shipping import in_short, shipping_document
from truegreen.board.queueing import waiting_for
from truegreen.board.sources import Sources
from truegreen.incidents.drills.recording import KIND
from truegreen.ledger.tables import RUN_KINDS

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What was asked for is a page at another address by now."""

    address: str


_AROUND = 60  # runs of the app among which a release finds those of its commit
_WATCHED = 100  # newest records of the watch
_DRILLED = 100  # newest records of drills


def apps(sources: Sources, wanted: str, page: int) -> Document:
    """All apps whose name holds ``wanted``; ``page`` counts from 1."""
    underway, held = sources.underway(), sources.held()
    frozen, now = sources.frozen(), sources.now()
    with sources.ledger() as ledger:
        latest = sources.latest(ledger) if ledger else []
        found = chosen(latest, wanted)
        page = max(1, min(page, -(-len(found) // PAGE)))
        shown = found[(page - 1) * PAGE : page * PAGE]
        records = [ledger.record(run.id) for run in shown] if ledger else []
    return fleet_document(
        latest,
        [record for record in records if record is not None],
        held,
        underway,
        now,
        frozen=frozen,
        wanted=wanted,
        page=page,
        begun=ledger is not None,
    )


def one_app(sources: Sources, app: str, before: int | None) -> Document | Elsewhere | None:
    """``before``: the list shows runs below that number; the rest of the page is of now."""
    underway, held, now = sources.underway().get(app), sources.held(), sources.now()
    with sources.ledger() as ledger:
        strip = ledger.runs(app, limit=max(STRIP, MEASURED)) if ledger else []
        if ledger is None or not strip:
            return Elsewhere(shipping_address(app)) if underway else None
        listed = ledger.runs(app, before=before, limit=LIST)
        recent = [ledger.record(run.id) for run in strip[:MEASURED]]
        watched = ledger.records(kind="watch", app=app, newest_first=True, limit=_WATCHED)
        known = [record for record in recent if record is not None]
        shipping = in_short(underway, strip[0], now)
        return app_document(
            app, known[0], strip[:STRIP], listed, known, list(watched), held.get(app), shipping, now
        )


def one_release(sources: Sources, number: int) -> Document | None:
    """The run that the ledger recorded under ``number``."""
    underway, held, now = sources.underway(), sources.held(), sources.now()
    with sources.ledger() as ledger:
        record = ledger.record(number) if ledger else None
        if ledger is None or record is None or record.kind not in RUN_KINDS or not record.app:
            return None
        around = ledger.runs(record.app, limit=_AROUND)
    shipping = in_short(underway.get(record.app), around[0], now)
    return release_document(record, around, held.get(record.app), shipping, now)


def shipping(sources: Sources, app: str) -> Document | Elsewhere | None:
    """The run of ``app`` that is under way; the record of it, once there is one."""
    followed, now = sources.follow(app), sources.now()
    if followed is None:
        return None
    with sources.ledger() as ledger:
        runs = ledger.runs(app, limit=_AROUND) if ledger else []
    if followed.run.ended:
        begun = followed.run.beginning
        mine = [run for run in runs if run.id > begun.after and run.kind == begun.kind]
        if mine:
            return Elsewhere(f"/releases/{mine[-1].id}")
    newest = runs[0] if runs else None
    if newest is not None and followed.state == "stopped" and followed.is_settled_by(newest):
        return Elsewhere(f"/releases/{newest.id}")
    return shipping_document(followed, newest, now, waiting_for(sources, followed))


def incidents(sources: Sources) -> Document:
    reviews, problem = sources.reviews()
    return list_document(reviews, problem, sources.now())


def one_incident(sources: Sources, name: str) -> Document | None:
    review = sources.review(name)
    return None if review is None else incident_document(review, sources.now())


def drills(sources: Sources) -> Document:
    reviews, _ = sources.reviews()
    with sources.ledger() as ledger:
        records = (
            list(ledger.records(kind=KIND, newest_first=True, limit=_DRILLED)) if ledger else []
        )
    return drills_document(sources.drills(), records, reviews, sources.now())
