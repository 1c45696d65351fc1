"""The ledger in a database. Records are only ever appended, each in one transaction with the note
of which is the last, so a killed run leaves either all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from truegreen.ledger.chain import Anchor, Walked, walk
from truegreen.ledger.record import Entry, Record, Stored, canonical, chain_hash
from truegreen.ledger.tables import RUNS, SCHEMA
from truegreen.model import stamp
from truegreen.state import Database, LastingDatabase, Location, open_database
from truegreen.state.sqlite import SqliteDatabase

_COLUMNS = "id, at, kind, app, commit_sha, verdict, body, previous, hash"
_SELECT = f"SELECT {_COLUMNS} FROM record"  # noqa: S608 - constants only
_INSERT = f"INSERT INTO record ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_ENTRY = "SELECT id, at, kind, app, commit_sha, verdict FROM record"
# One step of an index an app: the apps by name, then the last run of each.
_LATEST = f"""
WITH RECURSIVE named(app) AS (
    SELECT min(app) FROM record WHERE {RUNS}
    UNION ALL
    SELECT (SELECT min(app) FROM record WHERE {RUNS} AND app > named.app)
    FROM named WHERE named.app IS NOT NULL
)
SELECT r.id, r.at, r.kind, r.app, r.commit_sha, r.verdict FROM named JOIN record r
ON r.id = (SELECT max(id) FROM record WHERE {RUNS} AND app = named.app) ORDER BY r.app
"""  # noqa: S608 - constants only


class Ledger:
    """Open with ``Ledger.open``; a context manager. One writer at a time, any readers."""

    def __init__(self, database: Database) -> None:
        self._db = database

    @classmethod
    def open(cls, where: Location | Path) -> Ledger:
        """The ledger of a location, or of a SQLite file; made where there is none.

        UsageError when it is no ledger of ours or a newer version's, StateError when the database
        does not answer.
        """
        if isinstance(where, Path):
            return cls(SqliteDatabase.open(where, SCHEMA))
        return cls(open_database(where, SCHEMA))

    @classmethod
    def lasting(cls, where: Location) -> Ledger:
        """As ``open``, for a process that runs for days: after a StateError the next use opens the
        database again."""
        ledger = cls(LastingDatabase(lambda: open_database(where, SCHEMA)))
        ledger.head()
        return ledger

    @staticmethod
    def begun(where: Location) -> bool:
        """Whether anything can stand there: opening it would not make it."""
        return where.shared or where.file(SCHEMA.name).is_file()

    def append(
        self,
        kind: str,
        *,
        app: str,
        commit: str | None,
        verdict: str | None,
        body: Mapping[str, Any],
        at: datetime | None = None,
    ) -> Record:
        """Appends one record, chained to the last, and returns it."""
        moment = stamp(at or datetime.now(UTC))
        text = canonical(body)
        with self._db.write() as writer:
            last, previous = writer.rows("SELECT id, hash FROM head")[0]
            digest = chain_hash(previous, moment, kind, app, commit, verdict, text)
            stored = Stored(last + 1, moment, kind, app, commit, verdict, text, previous, digest)
            writer.run(
                _INSERT,
                (stored.id, moment, kind, app, commit, verdict, text, previous, digest),
            )
            writer.run("UPDATE head SET id = ?, hash = ?", (stored.id, digest))
        return stored.record()

    def last(
        self, *, verdict: str | None = None, kind: str | None = None, app: str | None = None
    ) -> Record | None:
        """The newest record that fits, or None."""
        rows = self.records(verdict=verdict, kind=kind, app=app, newest_first=True, limit=1)
        return next(rows, None)

    def records(
        self,
        *,
        verdict: str | None = None,
        kind: str | None = None,
        app: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[Record]:
        """The records that fit, oldest first unless told otherwise, ``limit`` of them at most."""
        wanted = {"verdict": verdict, "kind": kind, "app": app}
        asked = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(f"{name} = ?" for name in asked)
        statement = _SELECT + (f" WHERE {where}" if where else "") + " ORDER BY id"
        values: list[Any] = list(asked.values())
        if newest_first:
            statement += " DESC"
        if limit is not None:
            statement += " LIMIT ?"
            values.append(limit)
        for row in self._db.rows(statement, values):
            yield Stored(*row).record()

    def head(self) -> int:
        """The number of the last record, 0 of an empty ledger."""
        return int(next(iter(self._db.rows("SELECT id FROM head")))[0])

    def record(self, number: int) -> Record | None:
        """The record with that number, or None."""
        rows = self._db.rows(_SELECT + " WHERE id = ?", (number,))
        return next((Stored(*row).record() for row in rows), None)

    def latest_by_app(self) -> list[Entry]:
        """The last run of every app that had one, by the apps' names."""
        return [_entry(row) for row in self._db.rows(_LATEST)]

    def runs(self, app: str, *, before: int | None = None, limit: int) -> list[Entry]:
        """The newest runs of ``app``, newest first: those below the number ``before`` if given."""
        below = "" if before is None else " AND id < ?"
        statement = f"{_ENTRY} WHERE {RUNS} AND app = ?{below} ORDER BY id DESC LIMIT ?"
        values = (app, limit) if before is None else (app, before, limit)
        return [_entry(row) for row in self._db.rows(statement, values)]

    def after(self, number: int, limit: int) -> list[Entry]:
        """The records above a number, oldest first."""
        rows = self._db.rows(f"{_ENTRY} WHERE id > ? ORDER BY id LIMIT ?", (number, limit))
        return [_entry(row) for row in rows]

    def verify(self, expect: Iterable[str] = ()) -> Walked:
        """Walks the whole chain. ``expect``: hashes that were kept elsewhere and must be there."""
        anchors = [Anchor(*row) for row in self._db.rows("SELECT id, hash FROM head")]
        rows = self._db.rows(_SELECT + " ORDER BY id")
        return walk(
            (Stored(*row) for row in rows),
            find=self._find,
            head=anchors[0] if len(anchors) == 1 else Anchor(0, "no note of the last record"),
            expect=expect,
        )

    def _find(self, digest: str) -> int | None:
        rows = list(self._db.rows("SELECT id FROM record WHERE hash = ?", (digest,)))
        return int(rows[0][0]) if rows else None

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _entry(row: tuple[Any, ...]) -> Entry:
    number, at, *rest = row
    return Entry(number, datetime.fromisoformat(at.replace("Z", "+00:00")), *rest)
