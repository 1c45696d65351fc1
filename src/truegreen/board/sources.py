"""What the board reads: the ledger, the leases, the service's reviews. Nothing is written.

One connection a database, one reader at a time: a page takes a few short queries, and memory stays
where it is however many look. No page is made here.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from truegreen.board.pages.shipping import Followed, name_of
from truegreen.config import Config
from truegreen.errors import TrueGreenError, UsageError
from truegreen.gates.freeze.asked import look
from truegreen.gates.question import Question
from truegreen.incidents.drills.shelf import as_json, drills, names
from truegreen.incidents.folder import Review, find_review, read_reviews
from truegreen.ledger import Entry, Ledger
from truegreen.ledger.tables import RUN_KINDS
from truegreen.ship.leases import SCHEMA, Claim, Leases
from truegreen.ship.underway import Underway, UnderwayRuns
from truegreen.state import Database, Location, StateError, locate, open_database
from truegreen.watch.tables import SCHEMA as WATCHES
from truegreen.workers.queue import Queue

_CATCH_UP = 500  # records that are read one by one; more, and all apps are asked for again


class Sources:
    """The sources of one service's board; ``close`` ends its connections."""

    def __init__(self, config: Config, *, now: Callable[[], datetime] | None = None) -> None:
        self.config = config
        self.now = now or (lambda: datetime.now(UTC))
        self._where: Location = locate(config.root)
        self._lock = threading.Lock()
        self._ledger: Ledger | None = None
        self._leases: Leases | None = None
        self._underway: UnderwayRuns | None = None
        self._watches: Database | None = None
        self._queue: Queue | None = None
        self._latest: dict[str, Entry] = {}
        self._seen = 0  # the last record that _latest knows
        self._drills: tuple[frozenset[str], list[dict[str, Any]]] = (frozenset(), [])

    @property
    def where(self) -> Location:
        """Where the service's state is."""
        return self._where

    @property
    def place(self) -> str:
        """Where the ledger is, for people; never a password."""
        return str(self._where)

    @contextmanager
    def ledger(self) -> Iterator[Ledger | None]:
        """The ledger while the block runs; None where nothing was ever recorded."""
        with self._turn():
            if self._ledger is None and Ledger.begun(self._where):
                self._ledger = Ledger.open(self._where)
            yield self._ledger

    def head(self) -> int:
        """The number of the last record; 0 without a ledger."""
        with self.ledger() as ledger:
            return 0 if ledger is None else ledger.head()

    def latest(self, ledger: Ledger) -> list[Entry]:
        """The last run of every app. Read once; then only what is new is read. Within ``ledger``'s
        block."""
        head = ledger.head()
        if head < self._seen or head - self._seen > _CATCH_UP or not self._latest:
            self._latest = {run.app: run for run in ledger.latest_by_app()}
        else:
            new = ledger.after(self._seen, _CATCH_UP)
            self._latest |= {one.app: one for one in new if one.app and one.kind in RUN_KINDS}
        self._seen = head
        return list(self._latest.values())

    def held(self) -> dict[str, Claim]:
        """Who holds which app's lease now, by the app's name. Makes no file."""
        with self.leases() as leases:
            held = () if leases is None else leases.held()
        return {claim.app.rpartition("/apps/")[2]: claim for claim in held}

    @contextmanager
    def leases(self) -> Iterator[Leases | None]:
        """The leases while the block runs; None where nobody has shipped yet."""
        with self._turn():
            begun = self._where.shared or self._where.file(SCHEMA.name).is_file()
            if self._leases is None and begun:
                self._leases = Leases.open(self._where)
            yield self._leases

    @contextmanager
    def queue(self) -> Iterator[Queue | None]:
        """The jobs of the workers while the block runs; None without a shared database."""
        with self._turn():
            if self._queue is None and self._where.shared:
                self._queue = Queue.open(self._where)
            yield self._queue

    def underway(self) -> dict[str, Followed]:
        """The runs that have not said that they ended, by the app's name. Makes no file."""
        with self._runs() as runs:
            found = () if runs is None else runs.open_ones()
        if not found:
            return {}
        holders = {claim.holder for claim in self.held().values()}
        followed = [Followed(run, run.beginning.holder in holders) for run in found]
        if not all(one.alive for one in followed):
            followed = [one if one.alive else self._again(one.run) for one in followed]
        return {name_of(one): one for one in followed}

    def follow(self, app: str) -> Followed | None:
        """The last run of ``app`` that could be followed, whole."""
        with self._runs() as runs:
            run = None if runs is None else runs.named(app)
        if run is None:
            return None
        holders = {claim.holder for claim in self.held().values()}
        alive = not run.ended and run.beginning.holder in holders
        return Followed(run, alive) if alive or run.ended else self._again(run)

    def told(self) -> dict[str, int]:
        """A number an app, higher whenever its run under way told something."""
        with self._runs() as runs:
            found = {} if runs is None else runs.revisions()
        return {app.rpartition("/apps/")[2]: number for app, number in found.items()}

    def version(self) -> str:
        """Another one whenever a page may show something else. Read it before the page."""
        return version(self.head(), self.told())

    @contextmanager
    def _runs(self) -> Iterator[UnderwayRuns | None]:
        with self._turn():
            if self._underway is None and UnderwayRuns.begun(self._where):
                # A file that is none of ours, or a newer version's: the record is shown without.
                with contextlib.suppress(UsageError):
                    self._underway = UnderwayRuns.open(self._where)
            yield self._underway

    def _again(self, run: Underway) -> Followed:
        """A run without a lease is looked at once more: it says that it ended before it gives its
        lease back, so one that still does not has been killed."""
        with self._runs() as runs:
            now = None if runs is None else runs.look(run.beginning.app)
        same = now is not None and now.beginning.holder == run.beginning.holder
        return Followed(now if now is not None and same else run, False)

    def frozen(self) -> tuple[str, str]:
        """What the freeze says now, and what clears it; two "" when shipping is open, and for a
        service without a calendar."""
        if not self.config.environments or not _keeps_calendar(self.config):
            return "", ""
        try:
            answer = look(Question(self.config, now=self.now())).answer
        except TrueGreenError as error:
            return f"the freeze is not known: {error.message}", error.hint
        return ("", "") if str(answer.status) == "pass" else (answer.reason, answer.clears)

    def reviews(self) -> tuple[tuple[Review, ...], str]:
        """The service's reviews, and why they cannot be read ("" when they can)."""
        try:
            return read_reviews(self.config), ""
        except TrueGreenError as error:
            return (), str(error)

    def review(self, name: str) -> Review | None:
        """The review called ``name``, exactly. Raises ConfigError for one that is broken."""
        try:
            found = find_review(self.config, name)
        except TrueGreenError as error:
            if error.exit_code == 2 and not hasattr(error, "file"):
                return None
            raise
        return found if found.id == name else None

    def drills(self) -> list[dict[str, Any]]:
        """The drills as ``drill list`` tells them; read again when there is another. Raises
        ConfigError for one of the service's own that is broken."""
        known = names(self.config)
        if known != self._drills[0]:
            self._drills = (known, [as_json(one) for one in drills(self.config).values()])
        return self._drills[1]

    @contextmanager
    def watches(self) -> Iterator[Database | None]:
        """What watches share, while the block runs; None where none has ever run."""
        with self._turn():
            if self._watches is None and (
                self._where.shared or self._where.file(WATCHES.name).is_file()
            ):
                self._watches = open_database(self._where, WATCHES)
            yield self._watches

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One reader at a time. A database that failed is opened again by the next one."""
        with self._lock:
            try:
                yield
            except StateError:
                self._drop()
                raise

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        for one in (self._ledger, self._leases, self._underway, self._watches, self._queue):
            if one is not None:
                one.close()
        self._ledger = self._leases = self._underway = self._watches = self._queue = None


def _keeps_calendar(config: Config) -> bool:
    freeze = config.freeze
    return bool(freeze.windows or freeze.holidays or freeze.calendars or freeze.file)


def version(head: int, told: Mapping[str, int]) -> str:
    """Of pages that were made when the ledger and the runs under way had come so far."""
    return f"{head}-{sum(told.values())}"
