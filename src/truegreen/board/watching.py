"""Reads what the page of the watches shows: who watches, what waits, what the API's budget is."""

from __future__ import annotations

from typing import Any

from truegreen.board.pages.watch import Spent, watch_document
from truegreen.board.sources import Sources
from truegreen.watch.inbox import Inbox, Waiting
from truegreen.watch.roster import Roster
from truegreen.watch.shared_budget import spent_last_hour


def watches(sources: Sources) -> dict[str, Any]:
    """The page's document. Makes no file. Raises StateError when the database does not answer."""
    with sources.watches() as database:
        if database is None:
            return watch_document([], Waiting(0, 0.0, {}), [], sources.now())
        found = Roster(database).watchers()
        waiting = Inbox(database).waiting()
        now = database.clock()
        keys = sorted({one.key for one in found})
        spent = [Spent(key, spent_last_hour(database, key, now)) for key in keys]
    return watch_document(found, waiting, spent, sources.now())
