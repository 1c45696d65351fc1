"""One watch among those that share its database: the budget, the hints, the apps that are its own.

Everything here may raise StateError; the next call goes on from there. What must not be lost when
one does (which releases were told) is kept until it can be written.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from truegreen.state import Database, LastingDatabase, Location, open_database
from truegreen.watch.app_watch import Sight
from truegreen.watch.budget import Terms
from truegreen.watch.fleet import Fleet
from truegreen.watch.hints import Delivery
from truegreen.watch.inbox import Inbox
from truegreen.watch.roster import BEAT, Roster, owner
from truegreen.watch.shared_budget import SharedBudget
from truegreen.watch.tables import SCHEMA

ASK = 1.0  # seconds between two looks for hints
_FORWARDED = 1000  # hints for the other watches that are kept until they can be written


def lasting(where: Location) -> LastingDatabase:
    """What watches share at ``where``; opened at the first use, and again after a failure."""
    return LastingDatabase(lambda: open_database(where, SCHEMA))


class Together:
    """``key``: of the budget (budget_key). ``every_app``: whether apps are divided with the other
    watches of that key; a watch over named apps keeps them. ``database_clock``: seconds, for all
    that is shared (default: the database's); ``clock``: seconds, for when to ask."""

    def __init__(
        self,
        database: Database,
        key: str,
        terms: Terms,
        *,
        every_app: bool,
        clock: Callable[[], float],
        database_clock: Callable[[], float] | None = None,
    ) -> None:
        self.id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self.budget = SharedBudget(database, key, terms, clock=database_clock)
        self.watches = 1
        self.hints = 0
        self._inbox = Inbox(database, clock=database_clock)
        self._roster = Roster(database, clock=database_clock)
        self._key = key
        self._every_app = every_app
        self._clock = clock
        self._beat_at = self._asked_at = float("-inf")
        self._alive: list[str] = []
        self._claimed: dict[str, float] = {}
        self._marked: dict[str, int] = {}
        self._unmarked: dict[str, int] = {}
        self._forward: deque[Delivery] = deque(maxlen=_FORWARDED)

    def tick(self, fleet: Fleet, told: Callable[[], dict[str, Any]]) -> None:
        """What is due: a sign of life with what ``told`` says, the hints that wait, the marks."""
        now = self._clock()
        for app, version in list(self._unmarked.items()):
            self._roster.mark(self._key, app, version)
            self._marked[app] = self._unmarked.pop(app)
        if now - self._beat_at >= BEAT:
            self._beat(fleet, told())
            self._beat_at = now
        if now - self._asked_at >= ASK:
            self._ask(fleet)
            self._asked_at = now

    def looked(self, sight: Sight) -> None:
        """The API was asked about an app, and what it told is in the ledger."""
        if self._every_app and sight.seen_to and sight.seen_to != self._marked.get(sight.app):
            self._unmarked[sight.app] = sight.seen_to
        claimed = self._claimed.pop(sight.app, None)
        if claimed is not None:
            self._inbox.done(sight.app, self.id, claimed)

    def hint(self, app: str, fleet: Fleet) -> None:
        """A hint that came to this process: kept when the app is ours, else for whose it is."""
        if fleet.is_mine(app):
            fleet.hint(app)
        else:
            self._forward.append(Delivery(app, secrets.token_hex(16), None))

    def leave(self) -> None:
        """The others take over at once, and not only after a while."""
        self._roster.leave(self.id)

    def _beat(self, fleet: Fleet, told: dict[str, Any]) -> None:
        alive = self._roster.beat(self.id, self._key, every_app=self._every_app, told=told)
        self.watches = max(1, len(alive))
        if self._every_app and alive != self._alive:
            # Read now, not before: who had an app until now has told what it saw, and marked it.
            self._marked = self._roster.marks(self._key)
            fleet.divide(partial(_is_ours, self.id, tuple(alive)), dict(self._marked))
        self._alive = alive

    def _ask(self, fleet: Fleet) -> None:
        forward = list(self._forward)  # the webhooks' thread may add to it meanwhile
        if forward:
            self._inbox.put(forward, {})
            for _ in forward:
                self._forward.popleft()
        if self._alive and not self._every_app:
            return  # who watches every app has more use for it
        for app, last_at in self._inbox.claim(fleet.is_mine, self.id).items():
            self.hints += 1
            self._claimed[app] = last_at
            fleet.hint(app)


def _is_ours(us: str, alive: tuple[str, ...], app: str) -> bool:
    return owner(app, alive) == us
