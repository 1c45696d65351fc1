"""Which app to look at next, within the API's budget. Time and the platform are given from outside.

One list of all apps a minute (a call a thousand apps) shows whose newest release is another than
before: those are looked at first, and so are apps that a webhook hints at. What is left of the
budget goes round over all, because dynos crash without a release. Whether Heroku moves
``released_at`` for a release that fails is not documented, so the round covers that too.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from truegreen.errors import Unverified
from truegreen.heroku.models import App
from truegreen.watch.app_watch import COST, AppWatch, Sight, Watched
from truegreen.watch.budget import Budget

LIST_EVERY = 60.0  # seconds between two lists of all apps


class Platform(Watched, Protocol):
    """What a fleet's watch reads."""

    def apps(self) -> Sequence[App]: ...


class Fleet:
    """A watch over many apps. ``hint`` may be called from any thread; ``step`` from one.

    ``names``: only these apps (None: all that the token sees). ``every``: seconds that lie between
    two looks at one app, at least. ``blind``: apps that could not be looked at, and why.
    """

    def __init__(
        self,
        platform: Platform,
        budget: Budget,
        *,
        clock: Callable[[], float],
        names: Iterable[str] | None = None,
        every: float = 10.0,
        list_every: float = LIST_EVERY,
    ) -> None:
        self._platform = platform
        self._budget = budget
        self._clock = clock
        self._only = None if names is None else tuple(names)
        self._every = every
        self._list_every = list_every
        self._listed_at = float("-inf")
        self._released: dict[str, datetime | None] = {}
        self._watches: dict[str, AppWatch] = {}
        self._due: OrderedDict[str, float] = OrderedDict()  # the round: app -> earliest time
        self._first: OrderedDict[str, None] = OrderedDict()  # looked at before the round
        self._lock = threading.Lock()
        self.blind: dict[str, str] = {}
        self.hints = 0
        for name in self._only or ():
            self._add(name)

    @property
    def apps(self) -> tuple[str, ...]:
        return tuple(self._watches)

    @property
    def waiting(self) -> int:
        """Apps that are to be looked at before the round: back-pressure, when it grows."""
        with self._lock:
            return len(self._first)

    def hint(self, app: str) -> None:
        """Something may have happened at ``app``. An app that is not watched is left alone, and a
        hundred hints about one app are one look: a hint is no evidence."""
        with self._lock:
            self.hints += 1
            if app in self._watches:
                self._first[app] = None

    def step(self) -> Sight | None:
        """Does the next thing that is due and affordable: a list, or a look at one app. None when
        nothing is; ``idle`` says for how long."""
        if self._only is None and self._clock() - self._listed_at >= self._list_every:
            if self._budget.take(1):
                self._list()
            return None
        name = self._next()
        if name is None or not self._budget.take(COST):
            return None
        with self._lock:
            self._first.pop(name, None)
            self._due[name] = self._clock() + self._every
            self._due.move_to_end(name)
        try:
            sight = self._watches[name].look(self._platform)
        except Unverified as error:
            self.blind[name] = error.message
            return None
        self.blind.pop(name, None)
        if sight.calls > COST:
            self._budget.owe(sight.calls - COST)
        return sight

    def idle(self) -> float:
        """Seconds until ``step`` may have something to do."""
        now = self._clock()
        waits = [self._budget.wait_for(COST)]
        if not self.waiting:
            dues = [at - now for at in list(self._due.values())[:1]]
            if self._only is None:
                dues.append(self._listed_at + self._list_every - now)
            waits.append(min(dues, default=self._list_every))
        return max(0.0, *waits)

    def _next(self) -> str | None:
        with self._lock:
            if self._first:
                return next(iter(self._first))
            name = next(iter(self._due), None)
            return name if name is not None and self._due[name] <= self._clock() else None

    def _list(self) -> None:
        try:
            apps = self._platform.apps()
        except Unverified as error:
            self.blind["(the list of apps)"] = error.message
            self._listed_at = self._clock()
            return
        self.blind.pop("(the list of apps)", None)
        self._listed_at = self._clock()
        for app in apps:
            if app.name not in self._watches:
                self._add(app.name)
            elif self._released.get(app.name) != app.released_at:
                self.hint(app.name)
                self.hints -= 1
            self._released[app.name] = app.released_at
        for gone in set(self._watches) - {app.name for app in apps}:
            self._forget(gone)

    def _add(self, name: str) -> None:
        with self._lock:
            self._watches[name] = AppWatch(name)
            self._due[name] = float("-inf")

    def _forget(self, name: str) -> None:
        with self._lock:
            del self._watches[name]
            self._due.pop(name, None)
            self._first.pop(name, None)
            self._released.pop(name, None)
        self.blind.pop(name, None)
