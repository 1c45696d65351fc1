"""Which app to look at next, within the API's budget. Time and the platform are given from outside.

A list of all apps (a call a thousand of them) shows whose entry is another than before: those are
looked at first, and so are apps that a webhook hints at, and apps whose release was pending when
last looked at, again and again until it has ended. What is left of the budget goes round over all,
because dynos crash without a release.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from truegreen.errors import PlatformRefused, Unverified
from truegreen.heroku.client import Unchanged
from truegreen.heroku.models import App
from truegreen.watch.app_watch import MOST, AppWatch, Sight, Watched
from truegreen.watch.budget import Spends
from truegreen.watch.pressure import Pressure

LIST_EVERY = 60.0  # seconds between two lists of all apps, at least
THE_LIST = "(the list of apps)"
_LIST_SHARE = 0.5  # of the budget that lists may take
_PAGE = 1000  # apps a call
_FOLLOW = (5.0, 60.0)  # seconds to the next look at a pending release: first, and at most
_ROUND = 3  # looks of the round that may be made at once
_EVER = datetime.min.replace(tzinfo=UTC)


class Platform(Watched, Protocol):
    """What a fleet's watch reads, and what it cost."""

    def apps_unless(self, etag: str) -> tuple[Sequence[App], str]: ...
    @property
    def calls(self) -> int: ...
    @property
    def rate_limit_remaining(self) -> int | None: ...


@dataclass(slots=True)
class _Known:
    """One app. ``since``: releases after it are news at the first look. ``pause``: seconds to the
    next look at a pending release, 0 when none is."""

    entry: Any = None
    since: datetime | None = None
    watch: AppWatch | None = None
    looked_at: float = float("-inf")
    pause: float = 0.0


class Fleet:
    """A watch over many apps. ``hint`` may be called from any thread; the rest from one.

    ``names``: only these apps (None: all that the token sees). ``every``: seconds that lie between
    two looks at one app, at least. ``blind``: apps that could not be looked at, and why.
    """

    def __init__(
        self,
        platform: Platform,
        budget: Spends,
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
        self._etag = ""
        self._listed = False
        self._mine: Callable[[str], bool] = lambda _: True
        self._marks: Mapping[str, int] = {}
        self._apps: dict[str, _Known] = {}
        self._due: OrderedDict[str, float] = OrderedDict()  # the round: app -> earliest time
        self._first: OrderedDict[str, float] = OrderedDict()  # before the round: app -> since when
        self._follow: dict[str, float] = {}  # pending releases: app -> when to look again
        self._lock = threading.Lock()
        self._unpaid = 0
        self.blind: dict[str, str] = {}
        self.calls = 0
        for name in self._only or ():
            self._add(name, None)

    @property
    def apps(self) -> tuple[str, ...]:
        return tuple(self._apps)

    def is_mine(self, app: str) -> bool:
        """Whether this watch looks at ``app``."""
        return app in self._due

    @property
    def never_seen(self) -> tuple[str, ...]:
        """This watch's apps that it has not come to yet."""
        return tuple(n for n in self._due if self._apps[n].looked_at == float("-inf"))

    @property
    def waiting(self) -> int:
        """Apps that are to be looked at before the round: back-pressure, when it grows."""
        with self._lock:
            return len(self._first)

    def hint(self, app: str) -> None:
        """Something may have happened at ``app``. An app that is not watched is left alone, and a
        hundred hints about one app are one look: a hint is no evidence."""
        with self._lock:
            if app in self._due:
                self._first.setdefault(app, self._clock())

    def divide(self, mine: Callable[[str], bool], marks: Mapping[str, int]) -> None:
        """From now on only apps of which ``mine`` is true are looked at; what is remembered of the
        others is dropped. ``marks``: by app, its newest release whose end has been told."""
        self._mine, self._marks = mine, marks
        for name, known in self._apps.items():
            if mine(name) and name not in self._due:
                self._enter(name)
            elif not mine(name) and name in self._due:
                self._leave(name)
                known.watch, known.looked_at, known.pause = None, float("-inf"), 0.0

    def step(self) -> Sight | None:
        """Does the next thing that is due and affordable: a list, or a look at one app. None when
        nothing is; ``idle`` says for how long. Raises StateError when the budget is not known."""
        self._square()
        if self._only is None and self._clock() >= self._next_list():
            if self._budget.take(self._list_calls):
                self._list()
            return None
        name, keep = self._next()
        if name is None or not self._budget.take(MOST, keep=keep):
            return None
        known = self._apps[name]
        with self._lock:
            self._first.pop(name, None)
            self._due[name] = self._clock() + self._every
            self._due.move_to_end(name)
        if known.watch is None:
            since = None if name in self._marks else known.since
            known.watch = AppWatch(name, seen_to=self._marks.get(name), since=since)
        try:
            with self._paid(MOST):
                sight = known.watch.look(self._platform)
        except Unverified as error:
            self.blind[name] = error.message
            return None
        known.looked_at = self._clock()
        self.blind.pop(name, None)
        self._follow_up(name, known, pending=sight.pending)
        return sight

    def idle(self) -> float:
        """Seconds until ``step`` may have something to do. Raises StateError as ``step`` does."""
        now = self._clock()
        listing = [] if self._only is not None else [self._next_list() - now]
        following = [at - now for at in self._follow.values()]
        with self._lock:
            urgent = [0.0] if self._first else []
            turn = next(iter(self._due.values()), None)
        terms, tokens = self._budget.terms, self._budget.tokens
        soon = [max(at, terms.wait(tokens, MOST)) for at in (*urgent, *following)]
        soon += [max(at, terms.wait(tokens, self._list_calls)) for at in listing]
        if turn is not None:
            soon.append(max(turn - now, terms.wait(tokens, MOST + self._reserve)))
        return max(0.0, min(soon, default=self._list_every))

    def pressure(self) -> Pressure:
        """How far this watch is behind, now."""
        now = self._clock()
        with self._lock:
            first = next(iter(self._first.values()), now)
            waiting = len(self._first)
        looks = [self._apps[name].looked_at for name in self._due]
        seen = [at for at in looks if at > float("-inf")]
        return Pressure(
            apps=len(looks), unseen=len(looks) - len(seen), waiting=waiting,
            oldest=max(0.0, now - first), following=len(self._follow),
            round=max(0.0, now - min(seen, default=now)),
            tokens=self._budget.tokens, per_minute=60 * self._budget.terms.rate,
            not_seen=len(self.blind),
        )  # fmt: skip

    # what is next

    @property
    def _reserve(self) -> float:
        """Calls that the round leaves to hints, so that dozens are followed at once: it comes no
        slower for it, since it takes what comes with time."""
        return max(0.0, self._budget.terms.burst - _ROUND * MOST)

    @property
    def _pages(self) -> int:
        return max(1, -(-len(self._apps) // _PAGE))

    @property
    def _list_calls(self) -> int:
        return min(self._pages, int(self._budget.terms.burst))

    def _next_list(self) -> float:
        """A list of many pages comes less often: lists take no more than half of the budget."""
        afford = self._pages / (self._budget.terms.rate * _LIST_SHARE)
        return self._listed_at + max(self._list_every, afford)

    def _next(self) -> tuple[str | None, float]:
        now = self._clock()
        with self._lock:
            for name in [name for name, at in self._follow.items() if at <= now]:
                self._first.setdefault(name, self._follow.pop(name))
            if self._first:
                return next(iter(self._first)), 0.0
            turn = next(iter(self._due), None)
            due = turn is not None and self._due[turn] <= now
            return (turn if due else None), self._reserve

    def _follow_up(self, name: str, known: _Known, *, pending: bool) -> None:
        """A pending release is looked at again soon, and less and less often."""
        self._follow.pop(name, None)
        known.pause = min(max(_FOLLOW[0], known.pause * 1.5), _FOLLOW[1]) if pending else 0.0
        if pending:
            self._follow[name] = self._clock() + known.pause

    # what it costs

    @contextmanager
    def _paid(self, taken: int) -> Iterator[None]:
        """Counts the calls that the block really made, retries included, against ``taken``."""
        before = self._platform.calls
        try:
            yield
        except PlatformRefused as error:
            if error.status == 429:
                self._budget.cap(0)
            raise
        finally:
            made = self._platform.calls - before
            self.calls += made
            self._unpaid += made - taken

    def _square(self) -> None:
        """Before the next call, not after the last: what a look has told must not be lost because
        the budget's database is away."""
        self._budget.settle(self._unpaid)
        self._unpaid = 0
        left = self._platform.rate_limit_remaining
        if left is not None:
            self._budget.cap(left)

    # which apps there are

    def _list(self) -> None:
        self._listed_at = self._clock()
        try:
            with self._paid(self._list_calls):
                apps, self._etag = self._platform.apps_unless(self._etag)
        except Unchanged:
            return
        except Unverified as error:
            self.blind[THE_LIST] = error.message
            return
        self.blind.pop(THE_LIST, None)
        for app in apps:
            entry = (app.released_at, app.raw_digest)
            known = self._apps.get(app.name)
            if known is None:
                # What it did before we listed it is news only when we could have listed it before.
                self._add(app.name, _EVER if self._listed else app.released_at or _EVER)
            elif known.entry != entry:
                self.hint(app.name)
            self._apps[app.name].entry = entry
        for gone in set(self._apps) - {app.name for app in apps}:
            self._leave(gone)
            del self._apps[gone]
            self.blind.pop(gone, None)
        self._listed = True

    def _add(self, name: str, since: datetime | None) -> None:
        self._apps[name] = _Known(since=since)
        if self._mine(name):
            self._enter(name)

    def _enter(self, name: str) -> None:
        with self._lock:
            self._due[name] = float("-inf")
            self._due.move_to_end(name, last=False)

    def _leave(self, name: str) -> None:
        with self._lock:
            self._due.pop(name, None)
            self._first.pop(name, None)
        self._follow.pop(name, None)
