"""What was found out about the pending migrations, as frozen values. Nothing is judged here.

Made from the answer of the ``child`` process; its JSON is kept in the cache, so it is read
strictly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement as it ran on the scratch database. Tables are ``schema.name``, and only those
    that were there before the first pending revision.

    ``locks``: table and mode, newly held after it. ``rewritten``: tables with a new file.
    ``scanned``: tables read from end to end. ``changed``: rows updated or deleted, by table (there
    is one row a table). ``autocommit``: outside of a transaction, so its locks end with it.
    """

    sql: str
    autocommit: bool
    locks: tuple[tuple[str, str], ...]
    rewritten: tuple[str, ...]
    scanned: tuple[str, ...]
    changed: Mapping[str, int]
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What code that knows the schema before may miss after. ``kind``: drop-table, rename-table,
    drop-column, rename-column, not-null, type. ``to``: the new name or type."""

    kind: str
    table: str
    column: str
    to: str


@dataclass(frozen=True, slots=True)
class Failure:
    """``state`` is the SQLSTATE, "" where the error is not the database's."""

    text: str
    state: str


@dataclass(frozen=True, slots=True)
class Traced:
    """One revision on the scratch database. ``failed_on_rows``: its first try, with a row in every
    table, failed so; the statements are then those of the second, without rows."""

    revision: str
    statements: tuple[Statement, ...]
    changes: tuple[Change, ...]
    failed_on_rows: Failure | None
    error: Failure | None


@dataclass(frozen=True, slots=True)
class Trace:
    """``error``: why the schema at the base could not be built here; then nothing was traced."""

    revisions: tuple[Traced, ...]
    tables: tuple[str, ...]
    unseeded: tuple[str, ...]
    error: str
    state: str

    def of(self, revision: str) -> Traced | None:
        return next((one for one in self.revisions if one.revision == revision), None)


@dataclass(frozen=True, slots=True)
class Pending:
    """A revision that the database has not had. ``downgrade``: there, missing, empty, raises."""

    revision: str
    file: str
    doc: str
    downgrade: str


@dataclass(frozen=True, slots=True)
class Sql:
    """A revision as ``--sql`` prints it, or why it does not."""

    text: str
    error: str


@dataclass(frozen=True, slots=True)
class Facts:
    """``heads``: revision and file. ``unknown``: revisions of the database that the code does not
    know. ``trace`` is None where none was asked for."""

    heads: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...] = ()
    pending: tuple[Pending, ...] = ()
    sql: Mapping[str, Sql] | None = None
    trace: Trace | None = None


def facts_of(told: Mapping[str, Any]) -> Facts:
    """From the child's answer. Raises KeyError, TypeError or ValueError for anything else."""
    sql, trace = told.get("sql"), told.get("trace")
    return Facts(
        heads=tuple((str(head), str(file)) for head, file in told["heads"]),
        unknown=tuple(told["unknown"]),
        pending=tuple(Pending(**one) for one in told["pending"]),
        sql=None if sql is None else {name: Sql(**one) for name, one in sql.items()},
        trace=None if trace is None else _trace(trace),
    )


def _trace(told: Mapping[str, Any]) -> Trace:
    return Trace(
        tuple(_traced(one) for one in told["revisions"]),
        tuple(told["tables"]),
        tuple(told["unseeded"]),
        str(told["error"]),
        str(told["state"]),
    )


def _traced(told: Mapping[str, Any]) -> Traced:
    return Traced(
        str(told["revision"]),
        tuple(_statement(one) for one in told["statements"]),
        tuple(Change(**one) for one in told["changes"]),
        _failure(told["failed_on_rows"]),
        _failure(told["error"]),
    )


def _failure(told: Mapping[str, Any] | None) -> Failure | None:
    return None if told is None else Failure(str(told["text"]), str(told["state"]))


def _statement(told: Mapping[str, Any]) -> Statement:
    return Statement(
        sql=str(told["sql"]),
        autocommit=bool(told["autocommit"]),
        locks=tuple((str(table), str(mode)) for table, mode in told["locks"]),
        rewritten=tuple(told["rewritten"]),
        scanned=tuple(told["scanned"]),
        changed={str(table): int(rows) for table, rows in told["changed"].items()},
        dropped=tuple(told["dropped"]),
    )
