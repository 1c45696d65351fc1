"""One ship at a time to an app: leases with an expiry, and the queue of those who wait.

A lease is taken over when it has expired by the database's clock, or when this machine proves that
its holder's process ended. Nothing here knows the platform; lease.py keeps a lease alive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from truegreen.ship.holder import Holder, has_ended
from truegreen.state import Database, Location, Schema, open_database
from truegreen.state.database import Row, Writer

_TABLES = """
CREATE TABLE lease (
    app TEXT PRIMARY KEY, holder TEXT NOT NULL, owner TEXT NOT NULL, pid INTEGER NOT NULL,
    process TEXT NOT NULL, commit_sha TEXT NOT NULL,
    taken_at DOUBLE PRECISION NOT NULL, expires_at DOUBLE PRECISION NOT NULL
);
CREATE TABLE ticket (
    id {serial}, app TEXT NOT NULL, holder TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
    pid INTEGER NOT NULL, process TEXT NOT NULL, commit_sha TEXT NOT NULL,
    taken_at DOUBLE PRECISION NOT NULL, expires_at DOUBLE PRECISION NOT NULL
);
"""
SCHEMA = Schema(
    "lease",
    1,
    _TABLES.format(serial="INTEGER PRIMARY KEY AUTOINCREMENT"),
    _TABLES.format(serial="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
)
_COLUMNS = "app, holder, owner, pid, process, commit_sha, taken_at, expires_at"
_MARKS = "?, ?, ?, ?, ?, ?, ?, ?"


@dataclass(frozen=True, slots=True)
class Claim:
    """A lease that is held, or a place in the queue. Times: seconds since 1970, the database's.

    ``commit``: what is shipped, or in a word what is done instead (``rollback``).
    """

    app: str
    holder: str
    owner: str
    pid: int
    process: str
    commit: str
    taken_at: float
    expires_at: float

    def __str__(self) -> str:
        what = f"commit {self.commit[:8]}" if len(self.commit) == 40 else self.commit
        return f"{self.owner} (pid {self.pid}, {what})"


@dataclass(frozen=True, slots=True)
class Taken:
    """The lease is ours. ``inherited``: whose it was, when that one did not give it back."""

    lease: Claim
    inherited: Claim | None
    abandoned: tuple[Claim, ...]  # who waited before us and went away without a word


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else's turn. ``lease`` is None when it is free and others wait before us."""

    lease: Claim | None
    before: tuple[Claim, ...]  # who waits before us, in order
    now: float


class Leases:
    """The leases of one database. One connection: use it in one thread at a time."""

    def __init__(self, database: Database, *, ended: Callable[[str], bool] = has_ended) -> None:
        self._db = database
        self._ended = ended

    @classmethod
    def open(cls, location: Location) -> Leases:
        return cls(open_database(location, SCHEMA))

    def close(self) -> None:
        self._db.close()

    def take(
        self, app: str, holder: Holder, commit: str, *, seconds: float, wait: bool
    ) -> Taken | Held:
        """The lease of ``app`` for ``seconds``, when it is free and nobody waits before us.

        With ``wait`` we get a place in the queue, and keep it by asking again within ``seconds``.
        """
        with self._db.write() as writer:
            now = self._db.clock()
            queue, abandoned = self._queue(writer, app, now)
            if wait and not any(ticket.holder == holder.id for ticket in queue):
                mine = _claim(app, holder, commit, now, seconds)
                writer.run(f"INSERT INTO ticket ({_COLUMNS}) VALUES ({_MARKS})", _values(mine))  # noqa: S608
                queue.append(mine)
            before = _before(queue, holder)
            lease = self._lease(writer, app)
            free = lease is None or self._is_over(lease, now)
            if not free or before:
                if wait:
                    writer.run(
                        "UPDATE ticket SET expires_at = ? WHERE holder = ?",
                        (now + seconds, holder.id),
                    )
                return Held(None if free else lease, before, now)
            taken = _claim(app, holder, commit, now, seconds)
            writer.run("DELETE FROM lease WHERE app = ?", (app,))
            writer.run(f"INSERT INTO lease ({_COLUMNS}) VALUES ({_MARKS})", _values(taken))  # noqa: S608
            writer.run("DELETE FROM ticket WHERE holder = ?", (holder.id,))
        return Taken(taken, lease, abandoned)

    def renew(self, lease: Claim, *, seconds: float) -> float | None:
        """The new expiry; None when the lease is not ours any more."""
        with self._db.write() as writer:
            until = self._db.clock() + seconds
            kept = writer.run(
                "UPDATE lease SET expires_at = ? WHERE app = ? AND holder = ?",
                (until, lease.app, lease.holder),
            )
        return until if kept else None

    def give_back(self, app: str, holder: str) -> None:
        """Ends our lease and our place in the queue, as far as they are there."""
        with self._db.write() as writer:
            writer.run("DELETE FROM lease WHERE app = ? AND holder = ?", (app, holder))
            writer.run("DELETE FROM ticket WHERE holder = ?", (holder,))

    def look(self, app: str) -> Held:
        """Who holds the lease of ``app`` and who waits, in order. Changes nothing."""
        now = self._db.clock()
        leases = [Claim(*r) for r in self._db.rows(_SELECT_LEASE, (app,))]
        lease = leases[0] if leases and not self._is_over(leases[0], now) else None
        queue = [Claim(*row) for row in self._db.rows(_SELECT_QUEUE, (app,))]
        return Held(lease, tuple(one for one in queue if not self._is_over(one, now)), now)

    def held(self) -> tuple[Claim, ...]:
        """Every lease that is held, by what it is of. Changes nothing."""
        now = self._db.clock()
        every = [Claim(*row) for row in self._db.rows(_SELECT_LEASES)]
        return tuple(one for one in every if not self._is_over(one, now))

    def waiting(self) -> tuple[Claim, ...]:
        """Everybody who waits for a lease, in order. Changes nothing."""
        now = self._db.clock()
        every = [Claim(*row) for row in self._db.rows(_SELECT_TICKETS)]
        return tuple(one for one in every if not self._is_over(one, now))

    def _is_over(self, claim: Claim, now: float) -> bool:
        return claim.expires_at <= now or self._ended(claim.process)

    def _lease(self, writer: Writer, app: str) -> Claim | None:
        rows = writer.rows(_SELECT_LEASE, (app,))
        return Claim(*rows[0]) if rows else None

    def _queue(self, writer: Writer, app: str, now: float) -> tuple[list[Claim], tuple[Claim, ...]]:
        """Those who still wait, in order; and those who do not, taken out of the queue."""
        every = [Claim(*row) for row in writer.rows(_SELECT_QUEUE, (app,))]
        gone = tuple(one for one in every if self._is_over(one, now))
        for one in gone:
            writer.run("DELETE FROM ticket WHERE holder = ?", (one.holder,))
        return [one for one in every if one not in gone], gone


_SELECT_LEASE = f"SELECT {_COLUMNS} FROM lease WHERE app = ?"  # noqa: S608 - constants only
_SELECT_LEASES = f"SELECT {_COLUMNS} FROM lease ORDER BY app"  # noqa: S608
_SELECT_TICKETS = f"SELECT {_COLUMNS} FROM ticket ORDER BY id"  # noqa: S608
_SELECT_QUEUE = f"SELECT {_COLUMNS} FROM ticket WHERE app = ? ORDER BY id"  # noqa: S608


def _before(queue: Sequence[Claim], holder: Holder) -> tuple[Claim, ...]:
    found: list[Claim] = []
    for ticket in queue:
        if ticket.holder == holder.id:
            break
        found.append(ticket)
    return tuple(found)


def _claim(app: str, holder: Holder, commit: str, now: float, seconds: float) -> Claim:
    return Claim(
        app, holder.id, holder.owner, holder.pid, holder.process, commit, now, now + seconds
    )


def _values(claim: Claim) -> Row:
    values: tuple[Any, ...] = (
        claim.app, claim.holder, claim.owner, claim.pid, claim.process, claim.commit,
        claim.taken_at, claim.expires_at,
    )  # fmt: skip
    return values
