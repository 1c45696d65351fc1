"""Each page's document, read from the sources: which few records a page takes. A page that is not
there is None. How a document is made of them is pages/'."""

from __future__ import annotations

from typing import Any

from truegreen.board.pages.drills import drills_document
from truegreen.board.pages.fleet import PAGE, chosen, fleet_document
from truegreen.board.pages.incidents import incident_document, list_document
from truegreen.board.pages.one_app import LIST, MEASURED, STRIP, app_document
from truegreen.board.pages.one_release import release_document
from truegreen.board.sources import Sources
from truegreen.incidents.drills.recording import KIND
from truegreen.ledger.tables import RUN_KINDS

Document = dict[str, Any]
_AROUND = 60  # runs of the app among which a release finds those of its commit
_WATCHED = 100  # newest records of the watch
_DRILLED = 100  # newest records of drills


def apps(sources: Sources, wanted: str, page: int) -> Document:
    """All apps whose name holds ``wanted``; ``page`` counts from 1."""
    held, frozen, now = sources.held(), sources.frozen(), sources.now()
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
        now,
        frozen=frozen,
        wanted=wanted,
        page=page,
        begun=ledger is not None,
    )


def one_app(sources: Sources, app: str, before: int | None) -> Document | None:
    """``before``: the list shows runs below that number; the rest of the page is of now."""
    held, now = sources.held(), sources.now()
    with sources.ledger() as ledger:
        strip = ledger.runs(app, limit=max(STRIP, MEASURED)) if ledger else []
        if ledger is None or not strip:
            return None
        listed = ledger.runs(app, before=before, limit=LIST)
        recent = [ledger.record(run.id) for run in strip[:MEASURED]]
        watched = ledger.records(kind="watch", app=app, newest_first=True, limit=_WATCHED)
        known = [record for record in recent if record is not None]
        return app_document(
            app, known[0], strip[:STRIP], listed, known, list(watched), held.get(app), now
        )


def one_release(sources: Sources, number: int) -> Document | None:
    """The run that the ledger recorded under ``number``."""
    held, now = sources.held(), sources.now()
    with sources.ledger() as ledger:
        record = ledger.record(number) if ledger else None
        if ledger is None or record is None or record.kind not in RUN_KINDS or not record.app:
            return None
        around = ledger.runs(record.app, limit=_AROUND)
    return release_document(record, around, held.get(record.app), now)


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
