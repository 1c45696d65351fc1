"""Hints that wait for a watch, in the database: put there by whoever takes webhooks, and taken by
whichever watch is there. Bounded in every direction; what is lost, a round of the watch finds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from truegreen.state import Database
from truegreen.state.database import Writer
from truegreen.watch.hints import Delivery

MOST = 10_000  # apps that may wait
REMEMBERED = 100_000  # deliveries, at most
TOO_OLD = 86_400.0  # seconds: an older delivery is no hint, and one is remembered for as long
HELD = 60.0  # seconds in which a watch must have looked, or another one takes the hint
UNWATCHED = 600.0  # seconds after which a hint that nobody took is thrown away
_CLAIM = 100


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits now. ``oldest``: seconds that the oldest has waited."""

    apps: int
    oldest: float
    tally: Mapping[str, int]


class Inbox:
    """``clock``: seconds since 1970; default: the database's. Raises StateError without one."""

    def __init__(self, database: Database, *, clock: Callable[[], float] | None = None) -> None:
        self._db = database
        self._clock = clock or database.clock

    def put(self, deliveries: Sequence[Delivery], tally: Mapping[str, int]) -> None:
        """Takes all of ``deliveries``, and adds ``tally``: names and how many more of each. Those
        that came before, that are too old, that name no app or that find no room are counted."""
        counted = dict(tally)
        with self._db.write() as writer:
            now = self._clock()
            room = MOST - int(writer.rows("SELECT count(*) FROM hint")[0][0])
            for one in deliveries:
                name, room = self._put(writer, one, now, room)
                counted[name] = counted.get(name, 0) + 1
            if deliveries:
                self._forget(writer, now)
            _add(writer, counted, now)

    def _put(self, writer: Writer, one: Delivery, now: float, room: int) -> tuple[str, int]:
        if not one.app:
            return "nameless", room
        if one.at is not None and now - one.at.timestamp() > TOO_OLD:
            return "too_old", room
        fresh = writer.run(
            "INSERT INTO delivery (id, at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING", (one.id, now)
        )
        if not fresh:
            return "again", room
        if writer.run("UPDATE hint SET last_at = ?, told = told + 1 WHERE app = ?", (now, one.app)):
            return "taken", room
        if room <= 0:
            return "no_room", room
        writer.run("INSERT INTO hint VALUES (?, ?, ?, 1, '', 0)", (one.app, now, now))
        return "taken", room - 1

    def _forget(self, writer: Writer, now: float) -> None:
        writer.run("DELETE FROM delivery WHERE at < ? OR at > ?", (now - TOO_OLD, now + TOO_OLD))
        count = int(writer.rows("SELECT count(*) FROM delivery")[0][0])
        if count > REMEMBERED:
            writer.run(
                "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery ORDER BY at LIMIT ?)",
                (count - REMEMBERED,),
            )

    def claim(self, is_mine: Callable[[str], bool], holder: str) -> dict[str, float]:
        """The hints about apps of which ``is_mine`` is true and that nobody holds, oldest first and
        a hundred at most, held for ``holder`` from now on: each app, and when it was last hinted
        at."""
        if not list(self._db.rows("SELECT 1 FROM hint LIMIT 1")):
            return {}
        with self._db.write() as writer:
            now = self._clock()
            lost = writer.run(
                "DELETE FROM hint WHERE holder = '' AND last_at < ?", (now - UNWATCHED,)
            )
            _add(writer, {"unwatched": lost} if lost else {}, now)
            # A hold that ends later than any can was taken before the clock was set back.
            rows = writer.rows(
                "SELECT app, last_at FROM hint WHERE holder = '' OR held_until < ?"
                " OR held_until > ? ORDER BY first_at",
                (now, now + 2 * HELD),
            )
            mine = {app: last for app, last in rows if is_mine(app)}
            mine = dict(list(mine.items())[:_CLAIM])
            for app in mine:
                writer.run(
                    "UPDATE hint SET holder = ?, held_until = ? WHERE app = ?",
                    (holder, now + HELD, app),
                )
        return mine

    def done(self, app: str, holder: str, last_at: float) -> None:
        """The API was asked about ``app`` after the hint of ``last_at``. A later one stays."""
        with self._db.write() as writer:
            mine = (app, holder)
            gone = writer.run(
                "DELETE FROM hint WHERE app = ? AND holder = ? AND last_at <= ?", (*mine, last_at)
            )
            if not gone:
                writer.run("UPDATE hint SET holder = '' WHERE app = ? AND holder = ?", mine)

    def waiting(self) -> Waiting:
        """Changes nothing."""
        count, first = next(iter(self._db.rows("SELECT count(*), min(first_at) FROM hint")))
        tally = {str(name): int(n) for name, n in self._db.rows("SELECT name, count FROM tally")}
        oldest = 0.0 if first is None else max(0.0, self._clock() - first)
        return Waiting(int(count), oldest, tally)


def _add(writer: Writer, counted: Mapping[str, int], now: float) -> None:
    for name, count in counted.items():
        writer.run(
            "INSERT INTO tally (name, count, at) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE"
            " SET count = tally.count + excluded.count, at = excluded.at",
            (name, count, now),
        )
