"""The snapshot of table sizes: ``{"taken_at", "tables": {"schema.name": {"rows", "bytes"}}}``.

Written by ``truegreen gate migrations --write-sizes``, read by the gate. Only names and numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from truegreen.config import Config
from truegreen.errors import ConfigError, Unverified
from truegreen.gates.migrations.stall import Size, Sizes
from truegreen.secret import Secret, resolve

OLD = timedelta(days=90)
_QUERY = """
SELECT n.nspname || '.' || c.relname, greatest(c.reltuples, 0)::bigint,
       pg_total_relation_size(c.oid)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND n.nspname !~ '^pg_(toast|temp)'
"""


def read_sizes(file: Path, now: datetime) -> tuple[Sizes, str]:
    """The sizes in ``file``, and a note where they are old ("" else). Raises ConfigError with the
    file and the key."""
    fix = "make it anew: truegreen gate migrations --write-sizes env:DATABASE_URL"
    try:
        data: Any = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(str(file), "", f"cannot be read: {error.strerror}", fix=fix) from error
    except ValueError as error:
        raise ConfigError(str(file), "", f"is not JSON: {error}", fix=fix) from error
    if not isinstance(data, dict) or not isinstance(data.get("tables"), dict):
        raise ConfigError(str(file), "tables", "is not there", fix=fix)
    found: dict[str, Size] = {}
    for name, one in data["tables"].items():
        told = one if isinstance(one, dict) else {}
        size = Size(told.get("rows", -1), told.get("bytes", -1))
        if any(type(number) is not int or number < 0 for number in (size.rows, size.bytes)):
            problem = 'takes {"rows": a number, "bytes": a number}'
            raise ConfigError(str(file), f"tables.{name}", problem, fix=fix)
        found[str(name)] = size
    try:
        age = now - datetime.fromisoformat(str(data.get("taken_at")))
    except (ValueError, TypeError):
        raise ConfigError(str(file), "taken_at", "is not a moment with a zone", fix=fix) from None
    return found, f"{file.name} is {age.days} days old" if age > OLD else ""


def snapshot(config: Config, reference: str) -> tuple[Path, int]:
    """Writes ``migrations.table_sizes`` from the database that ``reference`` (``env:NAME``,
    ``file:PATH``) leads to: the file, and how many tables. Raises ConfigError where the key is
    not set, UsageError for the reference, Unverified for the database."""
    if not config.migrations.table_sizes:
        raise ConfigError(
            str(config.file or "truegreen.toml"),
            "migrations.table_sizes",
            "is not set",
            fix='name the file: table_sizes = "table-sizes.json"',
        )
    file = config.root / config.migrations.table_sizes
    return file, write_sizes(file, resolve(reference, what="--write-sizes"))


def write_sizes(
    file: Path, url: Secret, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> int:
    """Asks the database of ``url`` (``postgres://…``) for its tables' sizes, and writes ``file``.

    Only reads there: a few statistics, no table. Returns how many tables. Raises Unverified,
    without the URL, when the database does not answer.
    """
    import psycopg

    scheme, _, rest = url.reveal().partition("://")
    plain = f"postgresql://{rest}" if scheme.startswith("postgres") else url.reveal()
    try:
        with psycopg.connect(plain, connect_timeout=10) as connection:
            connection.read_only = True
            connection.execute("SET LOCAL statement_timeout = '15s'")
            rows = connection.execute(_QUERY).fetchall()
    except psycopg.Error as error:
        why = type(error).__name__
        raise Unverified(f"the database did not say how large its tables are: {why}") from None
    tables = {name: {"rows": count, "bytes": size} for name, count, size in sorted(rows)}
    document = {"taken_at": clock().isoformat(timespec="seconds"), "tables": tables}
    fresh = file.with_name(file.name + ".new")
    fresh.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    fresh.replace(file)
    return len(tables)
