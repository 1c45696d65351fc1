"""A database for a process that outlives its connections: one that failed is opened again.

Nothing is tried twice here: who asked hears of the failure, and decides whether to ask again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from truegreen.state.database import Database, Row, StateError, Writer


class LastingDatabase:
    """``open_again`` makes a connection; it is called at the first use, and at the next use after a
    StateError. Threads may share one: they wait for each other. Raises what ``open_again`` does."""

    def __init__(self, open_again: Callable[[], Database]) -> None:
        self._open = open_again
        self._lock = threading.RLock()
        self._db: Database | None = None

    @contextmanager
    def write(self) -> Iterator[Writer]:
        with self._connection() as db, db.write() as writer:
            yield writer

    def rows(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """As `Database.rows`, but read to the end before the first is given: another thread's turn
        must not wait for who reads slowly."""
        with self._connection() as db:
            found = list(db.rows(statement, values))
        yield from found

    def clock(self) -> float:
        with self._connection() as db:
            return db.clock()

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    @contextmanager
    def _connection(self) -> Iterator[Database]:
        with self._lock:
            if self._db is None:
                self._db = self._open()
            try:
                yield self._db
            except StateError:
                self.close()
                raise
