"""Does code that was written for the schema before still find what it uses in the schema after?

Decides purely: ``uses`` says what the code's metadata and texts name. Reading them is ``code``'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from truegreen.gates.migrations.facts import Change


@dataclass(frozen=True, slots=True)
class Column:
    """``filled``: the code, or the database for it, gives a value to each new row."""

    nullable: bool
    filled: bool


@dataclass(frozen=True, slots=True)
class Uses:
    """What the code at ``commit`` knows of the database.

    ``tables``: its metadata, ``schema.name`` → column → Column; None where it has none, or could
    not be asked (``error`` says why). ``mentions``: table or table.column → places in its text.
    """

    commit: str
    tables: Mapping[str, Mapping[str, Column]] | None
    mentions: Mapping[str, tuple[str, ...]]
    error: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """``sure``: the metadata says so; else a text does, which may be about something else."""

    change: Change
    why: str
    sure: bool


def breaking(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Those that code may trip over at all."""
    return tuple(change for change in changes if change.kind != "type")


def name_of(change: Change) -> str:
    return f"{change.table}.{change.column}" if change.column else change.table


def broken(changes: Iterable[Change], uses: Uses) -> Iterator[Broken]:
    """What ``uses`` would miss."""
    for change in breaking(changes):
        table = (uses.tables or {}).get(change.table)
        if table is not None:
            why = _missed(change, table)
            if why:
                yield Broken(change, why, sure=True)
                continue
        places = uses.mentions.get(name_of(change), ())
        if places and change.kind != "not-null" and table is None:
            more = f" and {len(places) - 1} more" if len(places) > 1 else ""
            yield Broken(change, f"{places[0]}{more} names it", sure=False)


def told(change: Change) -> str:
    """The change in words."""
    name = name_of(change)
    return {
        "drop-table": f"{name} is dropped",
        "rename-table": f"{name} becomes {change.to}",
        "drop-column": f"{name} is dropped",
        "rename-column": f"{name} becomes {change.to}",
        "not-null": f"{name} may not be left out any more",
        "type": f"{name}: {change.to}",
    }[change.kind]


def _missed(change: Change, columns: Mapping[str, Column]) -> str:
    if change.kind in ("drop-table", "rename-table"):
        return "its metadata has this table"
    column = columns.get(change.column)
    if change.kind in ("drop-column", "rename-column"):
        return (
            "its metadata has this column, so every query of the table names it" if column else ""
        )
    if column is None:
        return "it does not know the column, so its INSERTs leave it out"
    if column.nullable and not column.filled:
        return "for it the column may be NULL"
    return ""
