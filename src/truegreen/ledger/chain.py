"""Walks a chain of records and names what does not hold, record by record. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from truegreen.ledger.record import GENESIS, Stored

MOST = 100  # breaks that are told; a chain with more is not repaired by a list


class Break(NamedTuple):
    """Where the chain does not hold."""

    id: int
    problem: str


class Walked(NamedTuple):
    """What a walk found. ``head`` is the last record's hash, GENESIS of an empty ledger."""

    records: int
    head: str
    breaks: tuple[Break, ...]

    @property
    def holds(self) -> bool:
        return not self.breaks


class Anchor(NamedTuple):
    """What the ledger itself, or somebody who kept it, says of the last record. ``id`` 0: the
    hash alone, which must be some record's."""

    id: int
    hash: str


def walk(
    rows: Iterable[Stored],
    *,
    find: Callable[[str], int | None] = lambda _: None,
    head: Anchor | None = None,
    expect: Iterable[str] = (),
) -> Walked:
    """Walks ``rows``, in the order of their ids.

    ``find``: the id of the record with a hash, asked where one does not follow the one before it,
    to tell a fork from a gap. ``head``: the last record as the ledger notes it, which tells that
    its end was cut off. ``expect``: hashes that somebody kept, of records that must be there.
    """
    breaks: list[Break] = []
    missing = set(expect)
    previous, last_id, count = GENESIS, 0, 0
    for row in rows:
        count += 1
        if row.id != last_id + 1 and len(breaks) < MOST:
            breaks.append(Break(row.id, _gap(last_id, row.id)))
        if row.previous != previous and len(breaks) < MOST:
            breaks.append(Break(row.id, _stray(row, find)))
        if row.digest() != row.hash and len(breaks) < MOST:
            breaks.append(Break(row.id, "was changed after it was written"))
        missing.discard(row.hash)
        previous, last_id = row.hash, row.id
    if head is not None and (head.id, head.hash) != (last_id, previous) and len(breaks) < MOST:
        breaks.append(Break(max(head.id, last_id), _cut(head, last_id)))
    for hash_ in sorted(missing):
        breaks.append(Break(last_id, f"no record has the expected hash {hash_}: cut off, or not"
                            " the same ledger"))  # fmt: skip
    return Walked(count, previous, tuple(breaks))


def _gap(last: int, found: int) -> str:
    if found <= last:
        return f"stands after record {last}: a number that was there before"
    if found == last + 2:
        return f"record {last + 1} is missing"
    return f"records {last + 1} to {found - 1} are missing"


def _stray(row: Stored, find: Callable[[str], int | None]) -> str:
    fork = 0 if row.previous == GENESIS else find(row.previous)
    if fork is None:
        return "does not follow the record before it"
    if fork == 0:
        return "does not follow the record before it: begins a chain of its own (fork)"
    return f"does not follow the record before it: follows record {fork} (fork)"


def _cut(head: Anchor, last: int) -> str:
    if head.id > last:
        more = head.id - last
        return f"the end is cut off: record {last} is the last, {more} more had been written"
    return f"the ledger's note of its last record says {head.id}, and there are {last}"
