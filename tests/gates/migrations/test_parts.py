"""The pure parts, by their values."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

import truegreen
from truegreen.cli import root
from truegreen.config.model import Migrations
from truegreen.errors import ConfigError, Unverified
from truegreen.gates.head_tree import Entry
from truegreen.gates.migrations import contract
from truegreen.gates.migrations.blobs import split
from truegreen.gates.migrations.child.graph import downgrade
from truegreen.gates.migrations.child.observe import (
    Column,
    changes,
    outside_transactions,
    shown,
)
from truegreen.gates.migrations.child.seed import dummy
from truegreen.gates.migrations.contract import Uses
from truegreen.gates.migrations.facts import Change, Facts, Pending, Sql, Statement, Trace
from truegreen.gates.migrations.inquirer import script_folder
from truegreen.gates.migrations.judge import judge, missing_here
from truegreen.gates.migrations.lint import lint
from truegreen.gates.migrations.sizes import write_sizes
from truegreen.gates.migrations.stall import Size, costs, stalls
from truegreen.gates.migrations.timeline import seconds
from truegreen.secret import Secret

TODAY = date(2026, 6, 21)


def statement(sql: str = "ALTER", autocommit: bool = False, **more: object) -> Statement:
    base: dict[str, object] = {
        "locks": (),
        "rewritten": (),
        "scanned": (),
        "changed": {},
        "dropped": (),
    }
    return Statement(sql, autocommit, **{**base, **more})  # type: ignore[arg-type]


LOCK = (("public.a", "AccessExclusiveLock"),)


def test_a_lock_lasts_to_the_end_of_its_transaction() -> None:
    one = statement(locks=LOCK)
    slow = statement("CREATE INDEX ON b (x)", scanned=("public.b",))
    sizes = {"public.b": Size(1, 60_000_000)}
    (stall,) = stalls((one, slow), sizes)
    assert (stall.table, stall.first, stall.seconds) == ("public.a", 0, 2.0)
    (before,) = stalls((slow, one), sizes)
    assert before.seconds == 0, "what ran before the lock keeps nobody waiting"
    (unknown,) = stalls((one, slow), None)
    assert unknown.seconds is None
    (part,) = stalls((one, slow, statement(scanned=("public.c",))), sizes)
    assert part.seconds is None, "a part that is not known makes the whole not known"


def test_a_statement_outside_of_a_transaction_ends_what_is_held() -> None:
    first, second = statement(locks=LOCK), statement(autocommit=True, locks=LOCK)
    assert [stall.first for stall in stalls((first, second, first), None)] == [0, 1, 2]


def test_the_stronger_lock_counts_and_weak_ones_do_not() -> None:
    share = statement(locks=(("public.a", "ShareLock"), ("public.b", "RowExclusiveLock")))
    (stall,) = stalls((share, statement(locks=LOCK)), None)
    assert (stall.table, stall.mode, stall.first) == ("public.a", "AccessExclusiveLock", 0)


@pytest.mark.parametrize(
    ("given", "kinds"),
    [
        (statement(scanned=("a",)), {"a": "scan"}),
        (statement("ADD UNIQUE (x)", scanned=("a",)), {"a": "index"}),
        (statement(scanned=("a",), changed={"a": 1}), {"a": "rows"}),
        (statement(scanned=("a",), rewritten=("a",)), {"a": "rewrite"}),
        (statement("truncate a", rewritten=("a",), scanned=("a",)), {}),
        (statement("DROP TABLE a", scanned=("a",)), {}),
    ],
)
def test_what_a_statement_costs(given: Statement, kinds: dict[str, str]) -> None:
    assert {cost.table: cost.kind for cost in costs(given, None)} == kinds


def test_seconds_are_told_in_the_unit_that_fits() -> None:
    told = [seconds(value) for value in (None, 0.0, 0.04, 3.2, 119, 300)]
    assert told == ["?", "~ 1 ms", "~ 40 ms", "~ 3 s", "~ 119 s", "~ 5 min"]


SERIAL = Column("id", "integer", True, True)


def test_changes_follow_tables_and_columns_through_their_names() -> None:
    before = {
        1: ("public.a", {1: SERIAL, 2: Column("x", "text", False, False)}),
        2: ("public.b", {1: SERIAL}),
        3: ("public.c", {1: SERIAL}),
    }
    after = {
        1: (
            "public.a",
            {
                1: SERIAL,
                2: Column("y", "text", True, False),
                3: Column("new", "integer", True, False),
                4: Column("fine", "integer", True, True),
            },
        ),
        9: ("public.b", {1: SERIAL}),
        3: ("public.d", {1: Column("id", "bigint", True, True)}),
    }
    told = [(one["kind"], one["table"], one["column"], one["to"]) for one in changes(before, after)]
    assert told == [
        ("rename-column", "public.a", "x", "y"),
        ("not-null", "public.a", "y", ""),
        ("not-null", "public.a", "new", ""),
        ("rename-table", "public.c", "", "public.d"),
        ("type", "public.c", "id", "integer → bigint"),
    ]
    assert [one["kind"] for one in changes(before, {})] == ["drop-table"] * 3


def use(**columns: contract.Column) -> Uses:
    return Uses("c0ffee", {"public.a": columns}, {})


@pytest.mark.parametrize(
    ("kind", "column", "uses", "sure"),
    [
        ("drop-column", "x", use(x=contract.Column(True, False)), True),
        ("drop-column", "other", use(x=contract.Column(True, False)), None),
        ("not-null", "x", use(x=contract.Column(True, False)), True),
        ("not-null", "x", use(x=contract.Column(True, True)), None),
        ("not-null", "x", use(x=contract.Column(False, False)), None),
        ("not-null", "new", use(), True),
        ("drop-table", "", use(), True),
        ("drop-table", "", Uses("c0ffee", {}, {"public.a": ("q.py:1", "q.py:2")}), False),
        ("drop-column", "x", Uses("c0ffee", None, {"public.a.x": ("q.py:1",)}), False),
        ("drop-column", "x", Uses("c0ffee", None, {}), None),
        ("type", "x", use(x=contract.Column(True, False)), None),
    ],
)
def test_what_code_trips_over(kind: str, column: str, uses: Uses, sure: bool | None) -> None:
    found = list(contract.broken([Change(kind, "public.a", column, "")], uses))
    assert [one.sure for one in found] == ([] if sure is None else [sure])


def test_without_a_trace_squawk_decides_revision_by_revision() -> None:
    text = "BEGIN;\n\nCREATE INDEX ix ON people (email);\n\nCOMMIT;\n"
    bad = "BEGIN;\n\nCREATE TABL x;\n\nCOMMIT;\n"
    warned = lint({"2": text, "../3": bad, "4": "BEGIN;\n\nCREATE TABLE t (id int);\n\nCOMMIT;\n"})
    assert [(one.name, one.rule, one.line) for one in warned["2"]] == [
        ("require-concurrent-index-creation", "index-build", 3)
    ]
    assert warned["2"][0].statement == "CREATE INDEX ix ON people (email);"
    assert {one.rule for one in warned["../3"]} == {"fails"}
    assert warned["4"] == ()
    facts = Facts((("2", "f"),), pending=(Pending("2", "f.py", "", "there"),), sql={})
    (hazard,) = judge(facts, Migrations(), TODAY, warned=warned)
    assert (hazard.rule, hazard.severity) == ("index-build", "high")
    assert lint({}) == {}


def test_a_trace_that_could_not_be_made_says_why() -> None:
    pending = (Pending("2", "f.py", "", "there"),)
    facts = Facts((), pending=pending, trace=Trace((), (), (), "no server", ""))
    assert missing_here(facts).endswith("no server")
    assert judge(facts, Migrations(), TODAY) == ()
    assert missing_here(Facts((), sql={"2": Sql("", "x")})) == ""


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("", "missing"),
        ("def downgrade():\n    pass", "empty"),
        ('def downgrade() -> None:\n    """Nothing."""\n    return', "empty"),
        ("def downgrade():\n    raise NotImplementedError", "raises"),
        ("def downgrade():\n    op.drop_table('x')", "there"),
        ("def downgrade(:", "missing"),
        ("\0", "missing"),
    ],
)
def test_a_downgrade_is_read_from_the_text(body: str, told: str) -> None:
    assert downgrade(body.encode()) == told


def test_statements_are_shown_in_one_line_without_texts() -> None:
    assert (
        shown("UPDATE a\n  SET x = 'it''s',\ty = $b$ secret $b$") == "UPDATE a SET x = '…', y = '…'"
    )
    assert len(shown("x" * 9999)) == 400
    assert outside_transactions("create index concurrently x")
    assert not outside_transactions("COMMENT ON TABLE a IS 'VACUUM'")


def test_dummies_fit_their_type() -> None:
    assert dummy("mood", "E", "e", "sad") == "sad"
    assert dummy("mood", "E", "e", None) is None
    assert dummy("int4", "N", "b", None) == "1"
    assert dummy("uuid", "U", "b", None) is not None
    assert dummy("hstore", "U", "b", None) is None


def test_objects_of_git_are_told_apart() -> None:
    output = b"aa blob 3\nx\ny\nbb missing\ncc blob 0\n\n"
    assert list(split(output, 3)) == [b"x\ny", None, b""]
    assert list(split(b"", 2)) == [None, None]


@pytest.mark.parametrize(
    ("ini", "text", "folder"),
    [
        ("alembic.ini", "[alembic]\nscript_location = %(here)s/migrations\n", "migrations"),
        ("alembic.ini", "[alembic]\nscript_location = ./migrations/\n", "migrations"),
        ("db/alembic.ini", "[alembic]\nscript_location = %(here)s/x\n", "db/x"),
        ("alembic.ini", "[alembic]\nscript_location = package:migrations\n", ""),
        ("alembic.ini", "[alembic]\n", ""),
        ("alembic.ini", "no ini at all", ""),
        ("alembic.ini", "[alembic]\nscript_location = ../elsewhere\n", ""),
    ],
)
def test_the_folder_of_the_revisions(ini: str, text: str, folder: str) -> None:
    paths = ("migrations/env.py", "db/x/env.py")
    entries = [Entry(path, "100644", "blob", "0", 1) for path in paths]
    assert script_folder(text, ini, entries) == folder


def test_a_snapshot_of_sizes_is_written_whole_and_without_the_url(tmp_path: Path) -> None:
    file = tmp_path / "sizes.json"
    file.write_text("before")
    with pytest.raises(Unverified, match="OperationalError") as raised:
        write_sizes(file, Secret("postgres://me:hunter2@127.0.0.1:1/x"))
    assert "hunter2" not in str(raised.value)
    assert file.read_text() == "before"


@pytest.mark.xdist_group("postgres")
def test_a_snapshot_has_the_tables_of_the_database(tmp_path: Path, postgres: str) -> None:
    import psycopg

    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE TABLE a AS SELECT generate_series(1, 5000) AS n")
        connection.execute("ANALYZE a")
    file = tmp_path / "sizes.json"
    at = datetime(2026, 6, 21, tzinfo=UTC)
    assert write_sizes(file, Secret(postgres), clock=lambda: at) == 1
    told = json.loads(file.read_text())
    assert told["taken_at"] == "2026-06-21T00:00:00+00:00"
    assert told["tables"]["public.a"]["rows"] == 5000


@pytest.mark.xdist_group("postgres")
def test_the_verb_that_writes_the_snapshot_prints_what_its_schema_says(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = '[service]\nname = "s"\n[migrations]\ntable_sizes = "sizes.json"\n'
    (tmp_path / "truegreen.toml").write_text(settings)
    monkeypatch.setenv("SIZES_FROM", postgres.replace("+psycopg", ""))
    words = ["gate", "--dir", str(tmp_path), "--write-sizes", "env:SIZES_FROM", "--json"]
    done = CliRunner().invoke(root, words)
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    schemas = Path(truegreen.__file__).parent / "outputs" / "schemas"
    jsonschema.validate(told, json.loads((schemas / "gate-sizes.json").read_text()))
    assert told["tables"] == len(json.loads((tmp_path / "sizes.json").read_text())["tables"])


def test_bad_settings_name_the_key_and_the_nearest_rule(tmp_path: Path) -> None:
    from service import config

    for settings, said in (
        ({"severity": {"table-rewrit": "low"}}, "migrations.severity.table-rewrit"),
        ({"severity": {"lint": "bad"}}, "migrations.severity.lint"),
        ({"refuse": "never"}, "migrations.refuse"),
        ({"postgres": "postgres://me:pw@host/db"}, "migrations.postgres: is not a reference"),
        ({"lock_timeout": 3600}, "migrations.lock_timeout"),
        ({"branch": "--upload-pack=x"}, "migrations.branch"),
        ({"table_size": "x"}, "did you mean migrations.table_sizes"),
        ({"allow": [{"revision": "1", "rule": "lint", "reason": "r"}]}, "owner"),
    ):
        with pytest.raises(ConfigError) as raised:
            config(tmp_path, **settings)  # type: ignore[arg-type]
        assert said in str(raised.value)
        assert "pw@" not in str(raised.value)
