"""One row for every table, so that a migration meets what an empty database would hide.

A dummy is the same value wherever it stands, so that foreign keys hold by themselves.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from truegreen.gates.migrations.child.observe import rows

VERSION_TABLE = "alembic_version"
_COLUMNS = """
SELECT c.oid::bigint, quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relname,
       quote_ident(a.attname), a.attnotnull, a.atthasdef OR a.attidentity <> '',
       format_type(a.atttypid, a.atttypmod), b.typname, b.typcategory::text, b.typtype::text,
       (SELECT enumlabel FROM pg_enum WHERE enumtypid = b.oid ORDER BY enumsortorder LIMIT 1)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       AND a.attgenerated = ''
  JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
 ORDER BY c.oid, a.attnum
"""
_BY_TYPE = {
    "uuid": "00000000-0000-4000-8000-000000000001",
    "json": "{}",
    "jsonb": "{}",
    "bytea": "x",
    "xml": "<x/>",
    "interval": "1 day",
    "point": "(1,1)",
    "box": "((1,1),(2,2))",
    "circle": "<(1,1),1>",
    "money": "1",
    "tsvector": "x",
    "tsquery": "x",
    "macaddr": "08:00:2b:01:02:03",
    "time": "12:00",
    "timetz": "12:00+00",
}
_BY_CATEGORY = {
    "N": "1",
    "S": "x",
    "B": "true",
    "D": "2000-01-01",
    "A": "{}",
    "I": "127.0.0.1",
    "R": "empty",
    "V": "1",
}


def seed(connection: Any, among: Container[int]) -> list[str]:
    """Puts one row into each of the tables ``among`` (oids), which are empty. ``connection`` is a
    driver's, in autocommit mode.

    Returns the tables that took none: a CHECK, a trigger or a type that no dummy fits.
    """
    wanted: dict[int, tuple[str, list[tuple[str, bool, str]]]] = {}
    for oid, table, plain, column, not_null, default, full, *kind in rows(connection, _COLUMNS):
        if plain == VERSION_TABLE or oid not in among:
            continue
        columns = wanted.setdefault(oid, (table, []))[1]
        value = dummy(*kind)
        if not default and value is not None:
            columns.append((column, not_null, f"{_quoted(value)}::{full}"))
    left = dict(wanted.values())
    while left:
        took = [table for table, columns in left.items() if _insert(connection, table, columns)]
        if not took:
            break
        left = {table: columns for table, columns in left.items() if table not in took}
    return sorted(left)


def empty(connection: Any) -> None:
    """Takes all rows out again, but for Alembic's own."""
    names = sorted({row[1] for row in rows(connection, _COLUMNS) if row[2] != VERSION_TABLE})
    if names:
        connection.execute(f"TRUNCATE {', '.join(names)} CASCADE")


def dummy(name: str, category: str, kind: str, label: str | None) -> str | None:
    """A value's text for a type of pg_type; None where there is none. Pure."""
    if kind == "e":
        return label
    return _BY_TYPE.get(name) or _BY_CATEGORY.get(category)


def _insert(connection: Any, table: str, columns: list[tuple[str, bool, str]]) -> bool:
    needed = [one for one in columns if one[1]]
    for some in (columns, needed):
        names = ", ".join(name for name, _, _ in some)
        values = ", ".join(value for _, _, value in some)
        # Names come quoted from the catalog, values from the tables above.
        text = f"({names}) VALUES ({values})" if some else "DEFAULT VALUES"
        try:
            connection.execute(f"INSERT INTO {table} {text}")
        except Exception:  # noqa: BLE001, S112 - whatever the table objects to
            continue
        return True
    return False


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
