"""How long a table would be kept from its readers or writers. Pure; an estimate, and called one.

The rates are what one Postgres process does on a small cloud disk, on the careful side; what
matters is the order of magnitude between a millisecond and minutes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from truegreen.gates.migrations.facts import Statement

MB = 1_000_000
REWRITE_RATE = 40 * MB  # bytes a second, written and indexed anew
INDEX_RATE = 30 * MB
SCAN_RATE = 250 * MB
ROW_RATE = 30_000  # rows a second, updated or deleted
# https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
BLOCKS_READS = ("AccessExclusiveLock",)
BLOCKS_WRITES = (*BLOCKS_READS, "ExclusiveLock", "ShareRowExclusiveLock", "ShareLock")
_INDEX = re.compile(r"\b(INDEX|UNIQUE|PRIMARY\s+KEY|EXCLUDE)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Size:
    """One table, as the statistics of its database had it."""

    rows: int
    bytes: int


Sizes = Mapping[str, Size]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one statement does to one table: ``rewrite``, ``index``, ``scan`` or ``rows``, and the
    seconds that it takes; None where the table's size is not known."""

    kind: str
    table: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Stall:
    """A table that is blocked from statement ``first`` on, to the end of the transaction.

    ``mode`` is the lock, ``seconds`` the sum of what runs meanwhile (None: not known), ``costs``
    the statements with their indexes.
    """

    table: str
    mode: str
    first: int
    costs: tuple[tuple[int, Cost], ...]
    seconds: float | None


def costs(statement: Statement, sizes: Sizes | None) -> tuple[Cost, ...]:
    """What ``statement`` reads or writes from end to end; a TRUNCATE or DROP takes no time."""
    if statement.sql.upper().startswith(("TRUNCATE", "DROP TABLE")):
        return ()
    reading = "index" if _INDEX.search(statement.sql) else "scan"
    kinds = dict.fromkeys(statement.scanned, reading)
    kinds.update(dict.fromkeys(statement.changed, "rows"))
    kinds.update(dict.fromkeys(statement.rewritten, "rewrite"))
    return tuple(_cost(kind, table, sizes) for table, kind in sorted(kinds.items()))


def stalls(statements: tuple[Statement, ...], sizes: Sizes | None) -> tuple[Stall, ...]:
    """Every table that one revision blocks, with what the block lasts for. Each table once a
    transaction, with the strongest lock that it got."""
    found: list[Stall] = []
    first: dict[str, tuple[int, str]] = {}
    for index, statement in enumerate((*statements, None)):
        if statement is None or statement.autocommit:
            found += [_stall(table, *at, index, statements, sizes) for table, at in first.items()]
            first = {}
        if statement is None:
            continue
        for table, mode in statement.locks:
            if mode in BLOCKS_WRITES:
                was = first.get(table)
                if was is None or BLOCKS_WRITES.index(mode) < BLOCKS_WRITES.index(was[1]):
                    first[table] = (index if was is None else was[0], mode)
        if statement.autocommit:
            found += [
                _stall(table, *at, index + 1, statements, sizes) for table, at in first.items()
            ]
            first = {}
    return tuple(found)


def _stall(
    table: str,
    first: int,
    mode: str,
    end: int,
    statements: tuple[Statement, ...],
    sizes: Sizes | None,
) -> Stall:
    meanwhile = [
        (index, cost) for index in range(first, end) for cost in costs(statements[index], sizes)
    ]
    known = [cost.seconds for _, cost in meanwhile if cost.seconds is not None]
    seconds = None if len(known) < len(meanwhile) else sum(known)
    return Stall(table, mode, first, tuple(meanwhile), seconds)


def _cost(kind: str, table: str, sizes: Sizes | None) -> Cost:
    size = sizes.get(table) if sizes is not None else None
    if size is None:
        return Cost(kind, table, None)
    if kind == "rows":
        return Cost(kind, table, size.rows / ROW_RATE)
    rate = {"rewrite": REWRITE_RATE, "index": INDEX_RATE, "scan": SCAN_RATE}[kind]
    return Cost(kind, table, size.bytes / rate)
