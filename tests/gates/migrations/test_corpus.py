"""Small migrations with what must be said of each: tried on a real Postgres, then judged.

The database has two tables with a row each; no size is known, so whatever grows with a table counts
as bad. ``low`` findings are not part of the label, but for what is written as such.
"""

from __future__ import annotations

import textwrap
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config as Ini
from scratch_server import EmbeddedServer
from service import ENV, INI, revision, sql

from truegreen.config.model import Migrations
from truegreen.gates.migrations.child import graph
from truegreen.gates.migrations.child.trace import Trace
from truegreen.gates.migrations.contract import Column, Uses
from truegreen.gates.migrations.facts import Facts, facts_of
from truegreen.gates.migrations.judge import judge, missing_here
from truegreen.gates.migrations.stall import Size

pytestmark = pytest.mark.xdist_group("postgres")

BASE = sql(
    "1",
    None,
    "CREATE TABLE people (id serial PRIMARY KEY, email varchar(50) NOT NULL, name text, age int)",
    "CREATE TABLE orders (id serial PRIMARY KEY, person_id int, state text NOT NULL, "
    "total numeric(10,2) CHECK (total >= 0))",
)
# What the serving code knows: everything above.
SERVING = Uses(
    "c0ffee00",
    {
        "public.people": {
            "id": Column(False, True),
            "email": Column(False, False),
            "name": Column(True, False),
            "age": Column(True, False),
        },
        "public.orders": {
            "id": Column(False, True),
            "person_id": Column(True, False),
            "state": Column(False, False),
            "total": Column(True, False),
        },
    },
    {},
)
HIGH, MEDIUM, LOW = "high", "medium", "low"

Label = dict[str, str]
CORPUS: dict[str, tuple[str | tuple[str, ...], Label]] = {
    # harmless
    "add a column": ("ALTER TABLE people ADD COLUMN nick text", {}),
    "add a column with a constant default": (
        "ALTER TABLE people ADD COLUMN active boolean NOT NULL DEFAULT true",
        {},
    ),
    "add a column with a stable default": (
        "ALTER TABLE people ADD COLUMN seen timestamptz NOT NULL DEFAULT now()",
        {},
    ),
    "create a table": ("CREATE TABLE notes (id serial PRIMARY KEY, text text)", {}),
    "create a table that refers to another": (
        "CREATE TABLE notes (id serial PRIMARY KEY, person_id int REFERENCES people)",
        {},
    ),
    "a new table, and an index of it": (
        ("CREATE TABLE notes (id int)", "CREATE INDEX ON notes (id)"),
        {},
    ),
    "fill a new table from nothing": (
        ("CREATE TABLE states (name text)", "INSERT INTO states VALUES ('new'), ('paid')"),
        {},
    ),
    "widen a varchar": ("ALTER TABLE people ALTER COLUMN email TYPE varchar(200)", {}),
    "varchar to text": ("ALTER TABLE people ALTER COLUMN email TYPE text", {}),
    "drop NOT NULL": ("ALTER TABLE orders ALTER COLUMN state DROP NOT NULL", {}),
    "set a default": ("ALTER TABLE orders ALTER COLUMN state SET DEFAULT 'new'", {}),
    "a foreign key that is not validated": (
        "ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (person_id) REFERENCES people NOT VALID",
        {},
    ),
    "a check that is not validated": (
        "ALTER TABLE orders ADD CONSTRAINT ck CHECK (person_id > 0) NOT VALID",
        {},
    ),
    "a comment": ("COMMENT ON TABLE people IS 'somebody'", {}),
    "an index made concurrently": (
        textwrap.dedent(
            """
            from alembic import op
            def upgrade():
                with op.get_context().autocommit_block():
                    op.execute("CREATE INDEX CONCURRENTLY ix ON people (email)")
            def downgrade():
                op.drop_index("ix")
            """
        ),
        {},
    ),
    "a validation in a migration of its own": (
        "ALTER TABLE orders VALIDATE CONSTRAINT orders_total_check",
        {},
    ),
    # tables kept from their readers or writers
    "add a column with a volatile default": (
        "ALTER TABLE people ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid()",
        {"table-rewrite": HIGH},
    ),
    "add a stored generated column": (
        "ALTER TABLE people ADD COLUMN lower text GENERATED ALWAYS AS (lower(email)) STORED",
        {"table-rewrite": HIGH},
    ),
    "int to bigint": (
        "ALTER TABLE people ALTER COLUMN age TYPE bigint",
        {"table-rewrite": HIGH},
    ),
    "numeric to text": (
        "ALTER TABLE people ALTER COLUMN age TYPE text",
        {"table-rewrite": HIGH},
    ),
    "add a serial column": ("ALTER TABLE orders ADD COLUMN n bigserial", {"table-rewrite": HIGH}),
    "set NOT NULL": (
        "ALTER TABLE people ALTER COLUMN name SET NOT NULL",
        {"blocking-scan": HIGH, "breaks-serving": HIGH},
    ),
    "a check": ("ALTER TABLE people ADD CHECK (age >= 0)", {"blocking-scan": HIGH}),
    "a foreign key": (
        "ALTER TABLE orders ADD FOREIGN KEY (person_id) REFERENCES people",
        {"blocking-scan": HIGH},
    ),
    "an index": ("CREATE INDEX ix ON people (email)", {"index-build": HIGH}),
    "a unique constraint": ("ALTER TABLE people ADD UNIQUE (email)", {"index-build": HIGH}),
    "a lock, then rows": (
        ("ALTER TABLE people ADD COLUMN nick text", "UPDATE people SET nick = name"),
        {"lock-held": HIGH},
    ),
    "a lock on one, a long read of another": (
        ("ALTER TABLE people ADD COLUMN n int", "CREATE INDEX ix ON orders (state)"),
        {"lock-held": HIGH, "index-build": HIGH},
    ),
    "rows": ("UPDATE orders SET state = 'old'", {"backfill": MEDIUM}),
    "vacuum full's kind": ("CLUSTER people USING people_pkey", {"table-rewrite": HIGH}),
    # the code that serves
    "drop a column that is used": (
        "ALTER TABLE people DROP COLUMN name",
        {"data-loss": MEDIUM, "breaks-serving": HIGH},
    ),
    "rename a column": (
        "ALTER TABLE people RENAME COLUMN name TO full_name",
        {"breaks-serving": HIGH},
    ),
    "rename a table": ("ALTER TABLE orders RENAME TO purchases", {"breaks-serving": HIGH}),
    "drop a table": ("DROP TABLE orders", {"data-loss": MEDIUM, "breaks-serving": HIGH}),
    "rename behind a view of the old name": (
        (
            "ALTER TABLE orders RENAME TO purchases",
            "CREATE VIEW orders AS SELECT * FROM purchases",
        ),
        {"breaks-serving": HIGH},  # a view is not what the metadata has; allow it, with a reason
    ),
    # data
    "empty a table": ("TRUNCATE orders", {"data-loss": MEDIUM}),
    "delete rows": ("DELETE FROM orders", {"data-loss": MEDIUM, "backfill": MEDIUM}),
    # what fails
    "a column that must be given, without a default": (
        "ALTER TABLE people ADD COLUMN country text NOT NULL",
        {"fails": HIGH, "breaks-serving": HIGH, "blocking-scan": HIGH},
    ),
    "a table that is not there": ("ALTER TABLE nowhere ADD COLUMN x int", {"fails": HIGH}),
    "a syntax error": ("ALTER TABEL people ADD COLUMN x int", {"fails": HIGH}),
    "a check that the row may not pass": (
        "ALTER TABLE people ADD CHECK (age > 17)",
        {"data-dependent": MEDIUM, "blocking-scan": HIGH},
    ),
    "concurrently in a transaction": (
        "CREATE INDEX CONCURRENTLY ix ON people (email)",
        {"fails": HIGH},
    ),
    "what reads through get_bind": (
        textwrap.dedent(
            """
            from alembic import op
            import sqlalchemy as sa
            def upgrade():
                bind = op.get_bind()
                for row in bind.execute(sa.text("SELECT id FROM people")).all():
                    bind.execute(sa.text("UPDATE people SET age = 1 WHERE id = :i"), {"i": row[0]})
            def downgrade():
                op.execute("")
            """
        ),
        {"backfill": MEDIUM},
    ),
}


def facts_about(folder: Path, url: str, *revisions: str) -> Facts:
    """The facts of all revisions after the first, which is where the database is."""
    for number, text in enumerate(revisions, 1):
        file = folder / f"migrations/versions/r{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / "migrations/env.py").write_text(ENV)
    (folder / "alembic.ini").write_text(INI)
    scripts = graph.load("alembic.ini", folder)
    pending = graph.pending(scripts, ("1",), folder)
    trace = Trace(Ini(str(folder / "alembic.ini")), scripts, ("1",), url).run(folder)
    told: dict[str, Any] = {
        "heads": graph.heads(scripts, folder),
        "unknown": [],
        "pending": [graph.describe(one, folder) for one in pending],
        "trace": trace,
    }
    return facts_of(told)


def labels(facts: Facts, **more: Any) -> Label:
    """The worst severity of each rule, without what is low."""
    found: Label = {}
    for one in judge(facts, Migrations(), date(2026, 6, 21), **more):
        if one.severity != LOW and found.get(one.rule) != HIGH:
            found[one.rule] = one.severity
    return found


@pytest.mark.parametrize("name", CORPUS)
def test_each_migration_is_called_what_it_is(
    name: str, tmp_path: Path, postgres_server: EmbeddedServer
) -> None:
    body, expected = CORPUS[name]
    statements = (body,) if isinstance(body, str) else body
    code = revision("2", "1", statements[0]) if "def upgrade" in statements[0] else None
    text = code or sql("2", "1", *statements)
    facts = facts_about(tmp_path, postgres_server.database(), BASE, text)
    assert labels(facts, serving=SERVING) == expected, facts.trace


def test_small_tables_are_no_hazard_and_large_ones_are_told_in_seconds(
    tmp_path: Path, postgres: str
) -> None:
    text = sql("2", "1", "CREATE INDEX ix ON people (email)")
    facts = facts_about(tmp_path, postgres, BASE, text)
    assert labels(facts, sizes={"public.people": Size(1000, 200_000)}) == {}
    large = {"public.people": Size(90_000_000, 30_000_000_000)}
    (hazard,) = [
        one
        for one in judge(facts, Migrations(), date(2026, 6, 21), sizes=large)
        if one.rule == "index-build"
    ]
    assert (hazard.severity, hazard.stall) == (HIGH, 1000.0)


def test_a_table_that_the_same_release_makes_is_nobodys_yet(tmp_path: Path, postgres: str) -> None:
    made = sql("2", "1", "CREATE TABLE notes (id int, text text)")
    then = sql(
        "3",
        "2",
        "CREATE INDEX ON notes (id)",
        "ALTER TABLE notes ALTER COLUMN text SET NOT NULL",
        "ALTER TABLE notes DROP COLUMN text",
        "DROP TABLE notes",
    )
    assert labels(facts_about(tmp_path, postgres, BASE, made, then), serving=SERVING) == {}


def test_what_this_postgres_has_not_is_not_held_against_the_migration(
    tmp_path: Path, postgres: str
) -> None:
    facts = facts_about(tmp_path, postgres, BASE, sql("2", "1", "CREATE EXTENSION postgis"))
    assert labels(facts) == {}
    assert "2 could not be tried here" in missing_here(facts)


def test_what_comes_after_a_failure_of_dummy_rows_is_still_tried_with_rows(
    tmp_path: Path, postgres: str
) -> None:
    first = sql("2", "1", "ALTER TABLE people ADD CHECK (age > 17)")
    second = sql("3", "2", "ALTER TABLE orders ADD COLUMN country text NOT NULL")
    found = labels(facts_about(tmp_path, postgres, BASE, first, second))
    assert found == {"data-dependent": MEDIUM, "fails": HIGH, "blocking-scan": HIGH}


def test_texts_in_statements_are_not_shown(tmp_path: Path, postgres: str) -> None:
    facts = facts_about(
        tmp_path, postgres, BASE, sql("2", "1", "UPDATE orders SET state = 'ada@private.test'")
    )
    assert facts.trace is not None
    (statement,) = facts.trace.revisions[0].statements
    assert statement.sql == "UPDATE orders SET state = '…'"
