"""SQLite: a file in WAL mode. A killed process leaves all of a transaction or nothing of it.

``synchronous=NORMAL``: no fsync a commit. A killed process loses nothing; a machine that loses
power may lose the last transactions, never the order or the wholeness of those before.
"""

from __future__ import annotations

import contextlib
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from truegreen.errors import UsageError
from truegreen.state.database import NewerTables, Row, Schema, StateError, Writer

_BUSY = 30.0  # seconds that a writer waits for the others
# Milliseconds, and no function that needs a newer SQLite than Debian's.
_CLOCK = "SELECT (julianday('now') - 2440587.5) * 86400.0"


class SqliteDatabase:
    """Open with ``SqliteDatabase.open``."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db = connection
        self._path = path
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: Path, schema: Schema) -> SqliteDatabase:
        """Opens, and makes where there is none. UsageError when the file is not one of ours, or
        of a newer version; it is then left as it was."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not stat.S_ISREG(path.stat().st_mode):
                raise UsageError(f"{path} is not a file", hint="move it away")
            db = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.OperationalError) as error:
            raise UsageError(f"{path} cannot be opened: {error}") from error
        try:
            _prepare(db, path, schema)
        except sqlite3.OperationalError as error:
            db.close()
            raise UsageError(f"{path} cannot be opened: {error}") from error
        except sqlite3.DatabaseError as error:
            db.close()
            raise UsageError(
                f"{path} is not a {schema.name} file: {error}",
                hint="move it away; a new one is begun",
            ) from error
        except BaseException:
            db.close()
            raise
        return cls(db, path)

    @contextmanager
    def write(self) -> Iterator[Writer]:
        with self._lock, self._told(), _transaction(self._db):
            yield _SqliteWriter(self._db)

    def rows(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        with self._told():
            yield from self._db.execute(statement, tuple(values))

    def clock(self) -> float:
        with self._told():
            return float(self._db.execute(_CLOCK).fetchone()[0])

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise StateError(f"{self._path}: {error}") from error


class _SqliteWriter:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        return self._db.execute(statement, tuple(values)).rowcount

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._db.execute(statement, tuple(values)).fetchall()


def _write_ahead(db: sqlite3.Connection) -> None:
    """A file that two turn to WAL at once is locked for one of them, and SQLite does not wait then
    as it does elsewhere (sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY")."""
    until = time.monotonic() + _BUSY
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
        time.sleep(0.01)


def _prepare(db: sqlite3.Connection, path: Path, schema: Schema) -> None:
    _write_ahead(db)
    db.execute("PRAGMA synchronous=NORMAL")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version == schema.version:
        return
    if version > schema.version:
        raise NewerTables(
            f"{path} was written by a newer TrueGreen (format {version})", hint="upgrade truegreen"
        )
    with _transaction(db):  # of two that make it at once, the second finds it made
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version < schema.version:
            for statement in _statements(schema.sqlite):
                db.execute(statement)
            db.execute(f"PRAGMA user_version={schema.version:d}")


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing. A Ctrl-C may come right after BEGIN or COMMIT, and a full disk has
    rolled back already: what ends the block is told, never that there was nothing to roll back."""
    try:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    """``executescript`` would commit on its own, so the script is cut here."""
    text = ""
    for line in script.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            yield text
            text = ""
