"""Postgres: one schema ``truegreen`` for all rooms; one writer a room, by an advisory lock.

The lock is the transaction's own, so that a process that dies gives it back. Connect directly, not
through a pooler: the search path is the session's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from truegreen.errors import UsageError
from truegreen.secret import Secret
from truegreen.state.database import NewerTables, Row, Schema, StateError, Writer

if TYPE_CHECKING:
    import psycopg

NAMESPACE = "truegreen"
_CONNECT = 10  # seconds
_PAGE = 2000  # rows fetched at a time
# Each end asks whether the other is still there: seconds; PostgreSQL, "TCP Settings".
_SESSION = {
    "search_path": f"{NAMESPACE},public",
    "timezone": "UTC",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
_cursors = itertools.count()
# A machine that is cut off in the middle keeps its locks for as long, at most. Of readers nothing
# is said: somebody may look at a page of an export for longer.
_IDLE = "set_config('idle_in_transaction_session_timeout', '60s', true)"
_SET_UP = f"""
CREATE SCHEMA IF NOT EXISTS {NAMESPACE};
CREATE TABLE IF NOT EXISTS {NAMESPACE}.room (name text PRIMARY KEY, version integer NOT NULL);
"""


class PostgresDatabase:
    """Open with ``PostgresDatabase.open``."""

    def __init__(self, connection: psycopg.Connection[Row], room: str) -> None:
        self._db = connection
        self._room = room

    @classmethod
    def open(cls, url: Secret, schema: Schema) -> PostgresDatabase:
        """Connects, and makes the room's tables where there are none. StateError without an
        answer, UsageError for tables of a newer version. No message holds the URL."""
        import psycopg

        try:
            db: psycopg.Connection[Row] = psycopg.connect(
                url.reveal(),
                autocommit=True,
                connect_timeout=_CONNECT,
                application_name="truegreen",
                options=" ".join(f"-c {name}={value}" for name, value in _SESSION.items()),
                keepalives_idle=30,
                keepalives_interval=10,
                keepalives_count=3,
            )
        except psycopg.OperationalError as error:
            raise StateError(f"the database gave no connection: {_one_line(error)}") from None
        except psycopg.Error:
            raise UsageError("TRUEGREEN_DATABASE_URL is not a connection URL") from None
        opened = cls(db, schema.name)
        try:
            opened._prepare(schema)
        except psycopg.Error as error:
            db.close()
            raise StateError(f"the database refused our tables: {_one_line(error)}") from error
        except BaseException:
            db.close()
            raise
        return opened

    def _prepare(self, schema: Schema) -> None:
        known = "SELECT to_regclass('truegreen.room') IS NOT NULL"
        version = "SELECT version FROM truegreen.room WHERE name = %s"
        if self._db.execute(known).fetchone() == (True,):
            row = self._db.execute(version, (schema.name,)).fetchone()
            if row is not None and row[0] == schema.version:
                return
        with self._db.transaction():
            self._db.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (NAMESPACE,))
            self._db.execute(_SET_UP)
            row = self._db.execute(version, (schema.name,)).fetchone()
            if row is not None and row[0] > schema.version:
                raise NewerTables(
                    f"the {schema.name} in the database is of a newer TrueGreen (format {row[0]})",
                    hint="upgrade truegreen",
                )
            if row is None or row[0] < schema.version:
                self._db.execute(schema.postgres)
                self._db.execute(
                    "INSERT INTO truegreen.room VALUES (%s, %s)"
                    " ON CONFLICT (name) DO UPDATE SET version = excluded.version",
                    (schema.name, schema.version),
                )

    @contextmanager
    def write(self) -> Iterator[Writer]:
        with self._told(), self._db.transaction():
            self._db.execute(
                f"SELECT {_IDLE}, pg_advisory_xact_lock(hashtext(%s))",
                (f"{NAMESPACE} {self._room}",),
            )
            yield _PostgresWriter(self._db)

    @contextmanager
    def write_beside(self) -> Iterator[Writer]:
        """A transaction that waits for no other writer of the room: only where every statement
        locks the rows that it depends on."""
        with self._told(), self._db.transaction():
            self._db.execute(f"SELECT {_IDLE}")
            yield _PostgresWriter(self._db)

    def listen(self, channel: str) -> None:
        """From now on ``heard`` knows what is told on ``channel``. A name, not a value."""
        if not channel.isidentifier():
            raise ValueError(channel)
        with self._told():
            self._db.execute(f"LISTEN {channel}")

    def heard(self, seconds: float) -> bool:
        """Waits for a word on any channel that is listened to, for ``seconds`` at most."""
        with self._told():
            return any(True for _ in self._db.notifies(timeout=seconds, stop_after=1))

    def fileno(self) -> int:
        """Readable when something was told, or the connection ended."""
        with self._told():
            return self._db.fileno()

    def rows(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        name = f"truegreen_{next(_cursors)}"  # one may be read while another is
        with self._told(), self._db.transaction(), self._db.cursor(name=name) as cursor:
            cursor.itersize = _PAGE
            cursor.execute(_placed(statement), tuple(values))
            yield from cursor

    def clock(self) -> float:
        with self._told():
            row = self._db.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
        assert row is not None
        return float(row[0])

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        import psycopg

        try:
            yield
        except psycopg.IntegrityError:
            raise
        except psycopg.Error as error:
            raise StateError(f"the database failed: {_one_line(error)}") from error


class _PostgresWriter:
    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._db = connection

    def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        return self._db.execute(_placed(statement), tuple(values)).rowcount

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._db.execute(_placed(statement), tuple(values)).fetchall()


def _placed(statement: str) -> str:
    """Statements are constants of ours: no sign in them is a value."""
    return statement.replace("?", "%s")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
