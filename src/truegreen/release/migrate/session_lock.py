"""The lock that lets one release command migrate at a time, on a connection of its own.

Postgres' session advisory lock: it needs no table, and is gone with the connection however the
process ends. Any other database has none here, and ``held`` says so.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import TextClause, text

NAME = "truegreen migrate"  # pg_stat_activity.application_name
POLL = 0.25  # seconds
TOLD_EVERY = 15.0  # seconds


_TRY = text("SELECT pg_backend_pid(), pg_try_advisory_lock(CAST(:key AS bigint))")
_RELEASE = text("SELECT pg_advisory_unlock(CAST(:key AS bigint))")
_HELD = text(
    "SELECT pg_backend_pid(), EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' "
    "AND pid = pg_backend_pid() AND granted AND objsubid = 1 "
    "AND (classid::bigint << 32 | objid::bigint) = CAST(:key AS bigint))"
)
_HOLDER = text(
    "SELECT pid, extract(epoch FROM clock_timestamp() - backend_start)::int FROM pg_locks "
    "JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
    "AND (classid::bigint << 32 | objid::bigint) = CAST(:key AS bigint)"
)
# A second and more, so that it is worth naming. Ours, which the lock turned away, is aborted.
_OPEN_TRANSACTIONS = text(
    "SELECT pid, coalesce(nullif(application_name, ''), 'unnamed'), coalesce(state, '?'), "
    "extract(epoch FROM clock_timestamp() - xact_start)::int FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND state IS DISTINCT FROM 'idle in transaction (aborted)' "
    "AND xact_start < clock_timestamp() - interval '1 s' ORDER BY xact_start LIMIT 3"
)
_VACUUM = text(
    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND granted "
    "AND mode = 'ShareUpdateExclusiveLock' AND pid <> pg_backend_pid() "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)
_DEADLOCK_TIMEOUT = text("SELECT setting FROM pg_settings WHERE name = 'deadlock_timeout'")
# The lock's connection idles while a migration runs; the setting is there since Postgres 14.
_MAY_IDLE = text(
    "SELECT set_config(name, '0', false) FROM pg_settings "
    "WHERE name IN ('idle_session_timeout', 'statement_timeout')"
)


class LockFailed(Exception):
    """The lock was not to be had, or did not hold; says why and what to do."""


class SessionLock:
    """``acquire`` it, ask ``check`` while working, ``close`` it. ``connection`` must be in
    autocommit mode, and nobody else's."""

    def __init__(self, connection: Any, key: int) -> None:
        self._connection = connection
        self._key = key
        self._pid = 0

    def acquire(
        self,
        wait: float,
        say: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> float:
        """Seconds that were waited. Raises LockFailed after ``wait`` seconds."""
        began = told = clock()
        first = True
        while True:
            self._pid, got = self._row(_TRY)
            if got:
                self.check()
                return clock() - began
            waited = clock() - began
            holder = self._holder()
            if waited >= wait:
                raise LockFailed(
                    f"another release command migrates this database ({holder}); waited "
                    f"{waited:.0f} s for it (raise [migrations] lock_wait, or end that session)"
                )
            if first or clock() - told >= TOLD_EVERY:
                say(f"migrate: another release command migrates ({holder}); waiting for it")
                told = clock()
            first = False
            sleep(min(POLL, max(0.0, wait - waited)))

    def check(self) -> None:
        """Raises LockFailed when this session does not hold the lock (any more)."""
        try:
            pid, held = self._row(_HELD)
        except Exception as error:
            raise LockFailed(f"the lock's connection is gone: {type(error).__name__}") from error
        if not held or pid != self._pid:
            raise LockFailed(
                "the database does not keep a session's lock: there is a pooler in transaction "
                "mode on the way (set the config var of [migrations] direct_url to a direct URL)"
            )

    def blockers(self) -> tuple[str, bool]:
        """Who else has had a transaction open for a second or more, in words without any query's
        text, and whether anybody holds a lock like (auto)vacuum's."""
        rows = self._connection.execute(_OPEN_TRANSACTIONS).fetchall()
        told = ", ".join(
            f"pid {pid} ({name}, {state} for {age} s)" for pid, name, state, age in rows
        )
        (vacuum,) = self._row(_VACUUM)
        return told or "a transaction that has ended since", bool(vacuum)

    def deadlock_timeout(self) -> float:
        """The server's, in seconds."""
        (value,) = self._row(_DEADLOCK_TIMEOUT)
        return int(value) / 1000

    def close(self) -> None:
        """Gives the lock back, whatever state the connection is in."""
        with suppress(Exception):
            self._row(_RELEASE)
        with suppress(Exception):
            self._connection.invalidate()  # not back into a pool: its settings are ours
        with suppress(Exception):
            self._connection.close()

    def _holder(self) -> str:
        row = self._row(_HOLDER)
        return f"pid {row[0]}, for {row[1]} s" if row else "it has just ended"

    def _row(self, statement: TextClause) -> Any:
        given = {"key": self._key} if ":key" in statement.text else {}
        return self._connection.execute(statement, given).fetchone()


def key_of(schema: str | None, table: str) -> int:
    """The lock's key, positive and below 2^63, for one version table; the database is implied."""
    digest = hashlib.sha256(f"{NAME}:{schema or ''}.{table}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


@contextmanager
def held(
    migrating: Any, key: int, wait: float, say: Callable[[str], None]
) -> Iterator[SessionLock | None]:
    """The lock for the database of the SQLAlchemy connection ``migrating``, held meanwhile.

    None where the database is not Postgres. Raises LockFailed.
    """
    if migrating.dialect.name != "postgresql":
        yield None
        return
    connection = migrating.engine.connect()
    try:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql(f"SET application_name = '{NAME}'")
        connection.execute(_MAY_IDLE)
        lock = SessionLock(connection, key)
        try:
            lock.acquire(wait, say)
            yield lock
        finally:
            lock.close()
    finally:
        connection.close()
