"""What a database of ours can do, whichever it is. Statements are written with ``?`` for values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from truegreen.errors import Unverified, UsageError

Row = tuple[Any, ...]


class StateError(Unverified):
    """The database gave no answer, or refused: what stands in it could not be found out."""


class NewerTables(UsageError):
    """What stands there was written by a newer TrueGreen than this one."""


class Schema(NamedTuple):
    """The tables of one room. ``version`` grows when they change; ``name`` is unique. A script
    brings any older version to this one, so it must bear what is there already."""

    name: str
    version: int
    sqlite: str
    postgres: str


class Writer(Protocol):
    """Inside of one transaction."""

    def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        """How many rows it changed."""

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Row]: ...


class Database(Protocol):
    """One connection; use it in one thread at a time."""

    def write(self) -> AbstractContextManager[Writer]:
        """A transaction: all of it or nothing, and one at a time among all processes."""

    def rows(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """Rows as they come, without holding them all in memory."""

    def clock(self) -> float:
        """The database's own time: seconds since 1970. The only clock that leases know."""

    def close(self) -> None: ...
