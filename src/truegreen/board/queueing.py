"""Reads what the page of the queue shows: the workers' jobs, and who waits for a lease."""

from __future__ import annotations

from typing import Any

from truegreen.board.pages.queue import queue_document
from truegreen.board.pages.shipping import Followed
from truegreen.board.sources import Sources
from truegreen.errors import UsageError
from truegreen.workers.line import Line, Place, document, places


def line_of(sources: Sources) -> dict[str, Any]:
    """The page's document. Makes no file. Raises StateError when the database does not answer, and
    UsageError when the queue in it is of a newer TrueGreen."""
    underway = sources.underway()
    with sources.ledger() as ledger:
        known = {run.app for run in sources.latest(ledger)} if ledger else set()
    line, found = _look(sources)
    now = sources.now()
    return queue_document(document(line, found, now), known, set(underway), now)


def waiting_for(sources: Sources, followed: Followed) -> int | None:
    """How many wait until that run is over; None when that cannot be read here."""
    try:
        _, found = _look(sources)
    except UsageError:
        return None
    mine = [one for one in found if one.place == followed.run.beginning.app]
    return sum(len(one.waiting) + len(one.tickets) for one in mine)


def _look(sources: Sources) -> tuple[Line | None, tuple[Place, ...]]:
    with sources.queue() as queue:
        line = None if queue is None else queue.line()
    with sources.leases() as leases:
        held = () if leases is None else leases.held()
        tickets = () if leases is None else leases.waiting()
    return line, places(line, held, tickets)
