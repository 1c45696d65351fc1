"""What one connection did to the tables: read from the catalog, on that very connection.

pg_locks says what it holds; a new relfilenode is a table written anew; a sequential scan that was
not there before is a table read from end to end. Nothing is judged here.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

# relkind: tables, partitioned tables, materialized views.
_STATE = """
SELECT c.oid::bigint, n.nspname || '.' || c.relname, pg_relation_filenode(c.oid)::bigint,
       coalesce(pg_stat_get_xact_numscans(c.oid), 0),
       coalesce(pg_stat_get_xact_tuples_updated(c.oid), 0)
       + coalesce(pg_stat_get_xact_tuples_deleted(c.oid), 0)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND n.nspname !~ '^pg_(toast|temp)'
"""
_LOCKS = """
SELECT relation::bigint, mode FROM pg_locks
 WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_SCHEMA = """
SELECT c.oid::bigint, n.nspname || '.' || c.relname, a.attnum, a.attname,
       format_type(a.atttypid, a.atttypmod), a.attnotnull,
       a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> ''
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND n.nspname !~ '^pg_(toast|temp)'
"""
_LITERAL = re.compile(r"'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$", re.DOTALL)
# These run outside of a transaction, or not at all.
_OUTSIDE = re.compile(
    r"\b(CONCURRENTLY|VACUUM|(CREATE|DROP)\s+(DATABASE|TABLESPACE)|ALTER\s+SYSTEM)\b", re.I
)
LONGEST = 400  # characters of a statement that are kept


class Table(NamedTuple):
    name: str
    filenode: int
    scans: int
    changes: int


class Column(NamedTuple):
    name: str
    type: str
    not_null: bool
    default: bool


Schema = dict[int, tuple[str, dict[int, Column]]]


class Observer:
    """Looks after each statement on a driver's ``connection``, and says what it did.

    ``known``: oid → name of the tables that were there before, which are those that matter.
    """

    def __init__(self, known: dict[int, str]) -> None:
        self._known = known
        self._tables: dict[int, Table] = {}
        self._locks: set[tuple[int, str]] = set()

    def begin(self, connection: Any) -> None:
        """Before a revision's first statement."""
        self._tables = tables(connection)
        self._locks = set()

    def new_transaction(self) -> None:
        """What was held is held no more."""
        self._locks = set()

    def after(self, connection: Any, sql: str, *, autocommit: bool) -> dict[str, Any]:
        """What the statement ``sql`` did."""
        now = tables(connection)
        held = {(oid, mode) for oid, mode in rows(connection, _LOCKS) if oid in self._known}
        before, fresh = self._tables, held - self._locks
        self._tables, self._locks = now, held
        shared = [
            (name, before[oid], now[oid])
            for oid, name in self._known.items()
            if oid in now and oid in before
        ]
        gone = [name for oid, name in self._known.items() if oid in before and oid not in now]
        return {
            "sql": shown(sql),
            "autocommit": autocommit,
            "locks": sorted([self._known[oid], mode] for oid, mode in fresh),
            "rewritten": sorted(n for n, was, is_ in shared if was.filenode != is_.filenode),
            "scanned": sorted(n for n, was, is_ in shared if _more(was.scans, is_.scans)),
            "changed": {
                name: _more(was.changes, is_.changes)
                for name, was, is_ in shared
                if _more(was.changes, is_.changes)
            },
            "dropped": sorted(gone),
        }


def tables(connection: Any) -> dict[int, Table]:
    """By oid."""
    return {oid: Table(*rest) for oid, *rest in rows(connection, _STATE)}


def schema(connection: Any) -> Schema:
    """Tables and their columns, by oid and attribute number: names may change, these do not."""
    found: Schema = {}
    for oid, table, number, *column in rows(connection, _SCHEMA):
        found.setdefault(oid, (table, {}))[1][number] = Column(*column)
    return found


def rows(connection: Any, statement: str) -> list[Any]:
    """Through the driver: SQLAlchemy's own hooks are not to see it."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def shown(sql: str) -> str:
    """A statement in one line, without the texts in it: those may be anybody's data. Pure."""
    line = " ".join(_LITERAL.sub("'…'", sql).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def outside_transactions(sql: str) -> bool:
    return _OUTSIDE.search(_LITERAL.sub("''", sql)) is not None


def changes(before: Schema, after: Schema) -> list[dict[str, str]]:
    """What the code that knows ``before`` may miss in ``after``. Pure.

    ``kind``: drop-table, rename-table, drop-column, rename-column, not-null (a column that may be
    left out no more), type.
    """
    found: list[dict[str, str]] = []
    by_name = dict(after.values())
    for oid, (table, columns) in sorted(before.items(), key=lambda item: item[1][0]):
        if oid in after:
            name, now = after[oid]
            if name != table and table not in by_name:
                found.append({"kind": "rename-table", "table": table, "column": "", "to": name})
        elif table in by_name:  # made anew under the same name
            numbers = {column.name: number for number, column in columns.items()}
            now = {numbers.get(c.name, -n): c for n, c in by_name[table].items()}
        else:
            found.append({"kind": "drop-table", "table": table, "column": "", "to": ""})
            continue
        found += _columns(table, columns, now)
    return found


def _columns(
    table: str, before: dict[int, Column], after: dict[int, Column]
) -> list[dict[str, str]]:
    found = []

    def add(kind: str, column: str, to: str = "") -> None:
        found.append({"kind": kind, "table": table, "column": column, "to": to})

    for number, was in before.items():
        now = after.get(number)
        if now is None:
            add("drop-column", was.name)
            continue
        if now.name != was.name:
            add("rename-column", was.name, now.name)
        if now.not_null and not was.not_null and not now.default:
            add("not-null", now.name)
        if now.type != was.type:
            add("type", was.name, f"{was.type} → {now.type}")
    for number, now in after.items():
        if number not in before and now.not_null and not now.default:
            add("not-null", now.name)
    return found


def _more(before: int, after: int) -> int:
    """Counters of a transaction begin anew with the next one."""
    return after - before if after >= before else after
