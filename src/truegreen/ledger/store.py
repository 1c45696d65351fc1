"""The ledger in SQLite. Records are only ever appended; ``check`` walks the chain.

A record is written in one transaction, so a killed run leaves either all of it or nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from truegreen.errors import UsageError
from truegreen.ledger.record import GENESIS, Record, canonical, chain_hash
from truegreen.model import stamp

VERSION = 1
_SCHEMA = """
CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL, kind TEXT NOT NULL, app TEXT NOT NULL, commit_sha TEXT, verdict TEXT,
    body TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL UNIQUE
) STRICT;
CREATE INDEX record_verdict ON record (verdict, id);
CREATE TRIGGER record_no_update BEFORE UPDATE ON record
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER record_no_delete BEFORE DELETE ON record
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""
_COLUMNS = "id, at, kind, app, commit_sha, verdict, body, previous, hash"


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold."""

    id: int
    problem: str


class Ledger:
    """Open with ``Ledger.open(path)``; a context manager. One writer at a time, any readers."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db = connection
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Ledger:
        """Opens, and makes where there is none. UsageError when the file is no ledger of ours."""
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("BEGIN IMMEDIATE")
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                db.execute("COMMIT")
                db.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version={VERSION};COMMIT;")
            else:
                db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if "already exists" not in str(error):  # else: another process made it just now
                db.close()
                raise UsageError(f"the ledger {path} cannot be opened: {error}") from error
            db.execute("ROLLBACK")
            version = VERSION
        except sqlite3.DatabaseError as error:
            db.close()
            raise UsageError(
                f"{path} is not a ledger: {error}", hint="move it away; a new one is begun"
            ) from error
        if version > VERSION:
            db.close()
            raise UsageError(
                f"{path} was written by a newer TrueGreen (format {version})",
                hint="upgrade truegreen",
            )
        return cls(db, path)

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
        with self._transaction():
            row = self._db.execute("SELECT hash FROM record ORDER BY id DESC LIMIT 1").fetchone()
            previous = row[0] if row else GENESIS
            digest = chain_hash(previous, moment, kind, app, commit, verdict, text)
            cursor = self._db.execute(
                "INSERT INTO record (at, kind, app, commit_sha, verdict, body, previous, hash)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (moment, kind, app, commit, verdict, text, previous, digest),
            )
            new_id = cursor.lastrowid
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM record WHERE id = ?", (new_id,))  # noqa: S608
        return _record(rows.fetchone())

    def last(
        self, *, verdict: str | None = None, kind: str | None = None, app: str | None = None
    ) -> Record | None:
        """The newest record that fits, or None."""
        for record in self.records(verdict=verdict, kind=kind, app=app, newest_first=True):
            return record
        return None

    def records(
        self,
        *,
        verdict: str | None = None,
        kind: str | None = None,
        app: str | None = None,
        newest_first: bool = False,
    ) -> Iterator[Record]:
        """The records that fit, oldest first unless told otherwise."""
        order = "DESC" if newest_first else "ASC"
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM record"  # noqa: S608 - constants only
            " WHERE (?1 IS NULL OR verdict = ?1) AND (?2 IS NULL OR kind = ?2)"
            f" AND (?3 IS NULL OR app = ?3) ORDER BY id {order}",
            (verdict, kind, app),
        )
        for row in rows:
            yield _record(row)

    def check(self) -> tuple[Break, ...]:
        """Walks the whole chain; what does not hold, record by record."""
        breaks: list[Break] = []
        previous = GENESIS
        expected_id = 1
        for row in self._db.execute(f"SELECT {_COLUMNS} FROM record ORDER BY id"):  # noqa: S608
            record_id, at, kind, app, commit, verdict, body, before, digest = row
            if record_id != expected_id:
                breaks.append(Break(record_id, f"record {expected_id} is missing"))
            if before != previous:
                breaks.append(Break(record_id, "does not follow the record before it"))
            if chain_hash(before, at, kind, app, commit, verdict, body) != digest:
                breaks.append(Break(record_id, "was changed after it was written"))
            previous = digest
            expected_id = record_id + 1
        return tuple(breaks)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _record(row: tuple[Any, ...]) -> Record:
    record_id, at, kind, app, commit, verdict, body, previous, digest = row
    return Record(
        id=record_id,
        at=datetime.fromisoformat(at.replace("Z", "+00:00")),
        kind=kind,
        app=app,
        commit=commit,
        verdict=verdict,
        body=json.loads(body),
        previous=previous,
        hash=digest,
    )
