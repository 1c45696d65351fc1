"""The gate from a repository to its answer: base, trace, code that serves, policy, cache."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from service import Repository, git, question, revision, sql, tree

from truegreen.errors import ConfigError
from truegreen.gates.migrations import ask
from truegreen.gates.result import GateResult
from truegreen.gates.schema_at import SchemaAt
from truegreen.model import Status

pytestmark = pytest.mark.xdist_group("postgres")
AT_1 = SchemaAt(("1",), "https://app.test/health (schema)")
BASE = sql("1", None, "CREATE TABLE people (id serial PRIMARY KEY, name text)")
INDEX = sql("2", "1", "CREATE INDEX ix ON people (name)")
DROP = sql("2", "1", "ALTER TABLE people DROP COLUMN name")
MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
people = sa.Table("people", metadata, sa.Column("id", sa.Integer, primary_key=True), {more})
"""
ENV_WITH_MODELS = """
from alembic import context
from models import metadata
context.configure(
    url=context.config.get_main_option("sqlalchemy.url"), target_metadata=metadata
)
with context.begin_transaction():
    context.run_migrations()
"""


@pytest.fixture
def server(administrator: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SCRATCH_SERVER", administrator)
    return administrator


def gate(root: Path, **more: Any) -> GateResult:
    return ask(question(root, **{"schema": AT_1, "postgres": "env:SCRATCH_SERVER", **more}))


def commit(root: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "more")
    return git(root, "rev-parse", "HEAD")


def test_a_hazard_shuts_the_gate_until_it_is_allowed_or_called_less(
    repository: Repository, server: str
) -> None:
    root = repository(tree(one=BASE, two=INDEX))
    result = gate(root)
    assert result.status is Status.FAIL
    assert result.reason == (
        "2: writers of public.people wait while an index of public.people is built (Share)"
    )
    assert "CREATE INDEX CONCURRENTLY" in result.clears
    (finding,) = [one for one in result.findings if one.blocks]
    assert (finding.kind, finding.where) == ("index-build", "migrations/versions/two.py")
    assert result.detail["base"] == ["1"]
    assert result.detail["pending"][0]["statements"][0]["scanned"] == ["public.people"]
    assert gate(root, severity={"index-build": "medium"}).open
    allow = {
        "revision": "2",
        "rule": "index-build",
        "reason": "at night",
        "owner": "me",
        "expires": date(2026, 7, 1),
    }
    allowed = gate(root, allow=[allow])
    assert allowed.open
    assert "allowed: at night (me, until 2026-07-01)" in allowed.findings[0].text
    assert not gate(root, allow=[{**allow, "expires": date(2026, 6, 21)}]).open
    assert not gate(root, allow=[{**allow, "revision": "3"}]).open
    assert gate(root, severity={"index-build": "off"}).findings == ()


def test_an_unchanged_question_is_answered_without_any_server(
    repository: Repository, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = repository(tree(one=BASE, two=INDEX))
    first = gate(root)
    monkeypatch.setenv("SCRATCH_SERVER", "postgres://nobody@127.0.0.1:1/x")
    assert gate(root).as_json() == first.as_json()
    commit(root, {"README": "nothing of the migrations"})
    assert gate(root).reason == first.reason
    commit(root, {"migrations/versions/two.py": INDEX + "\n# another file\n"})
    without = gate(root)  # the revision is another one, and there is no server: squawk has to do
    assert without.reason.startswith("2: squawk require-concurrent-index-creation")


def test_a_damaged_cache_is_no_answer(repository: Repository, server: str) -> None:
    root = repository(tree(one=BASE, two=INDEX))
    first = gate(root)
    (file,) = (root / ".truegreen/migrations").glob("*.json")
    for text in ("", "{", "[]", '{"heads": 1}', json.dumps({"heads": [["2", "x"]]})):
        file.write_text(text)
        assert gate(root).as_json() == first.as_json()


def test_scratch_databases_are_gone_afterwards(repository: Repository, server: str) -> None:
    gate(repository(tree(one=BASE, two=INDEX)))
    with psycopg.connect(server) as connection:
        left = "SELECT count(*) FROM pg_database WHERE datname LIKE 'truegreen_scratch%'"
        assert connection.execute(left).fetchone() == (0,)


def test_the_code_that_serves_has_to_do_without_what_goes(
    repository: Repository, server: str
) -> None:
    files = tree(one=BASE)
    files["migrations/env.py"] = ENV_WITH_MODELS
    files["models.py"] = MODELS.format(more='sa.Column("name", sa.Text)')
    root = repository(files)
    serving = git(root, "rev-parse", "HEAD")
    contracted = commit(root, {"models.py": MODELS.format(more="")})
    commit(root, {"migrations/versions/two.py": DROP})
    result = gate(root, serving=serving)
    assert result.status is Status.FAIL
    assert result.reason.startswith(
        f"2: public.people.name is dropped, and the code that serves now ({serving[:8]}): its meta"
    )
    back = SchemaAt(("1",), "health", rollback=serving)
    result = gate(root, serving=contracted, schema=back)
    assert result.open
    assert {one.kind for one in result.findings} == {"data-loss", "breaks-rollback"}
    assert not gate(root, serving=contracted, schema=back, refuse="medium").open


def test_what_serves_is_asked_once_and_sees_none_of_the_operators_secrets(
    repository: Repository, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEROKU_API_KEY", "operator")
    files = tree(one=BASE)
    files["migrations/env.py"] = ENV_WITH_MODELS
    files["models.py"] = "import os\nassert 'HEROKU_API_KEY' not in os.environ\n" + MODELS.format(
        more='sa.Column("name", sa.Text)'
    )
    root = repository(files)
    serving = git(root, "rev-parse", "HEAD")
    commit(root, {"migrations/versions/two.py": DROP})
    first = gate(root, serving=serving)
    assert "its metadata has this column" in first.reason
    monkeypatch.setenv("SCRATCH_SERVER", "postgres://nobody@127.0.0.1:1/x")
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    again = gate(root, serving=serving)  # no python to ask, and no server
    assert (again.reason, again.findings) == (first.reason, first.findings)


def test_a_query_of_the_code_that_serves_is_named_with_its_line(
    repository: Repository, server: str
) -> None:
    files = tree(one=BASE)
    files["report.py"] = "import os\nQUERY = 'SELECT name FROM people'\n"
    root = repository(files)
    serving = git(root, "rev-parse", "HEAD")
    commit(root, {"migrations/versions/two.py": DROP})
    result = gate(root, serving=serving, refuse="medium")
    assert result.status is Status.FAIL
    assert "report.py:2 names it" in str(result.findings)


@pytest.mark.parametrize("env", ["import a_module_that_is_nowhere\n", "raise SystemExit(3)\n"])
def test_code_that_cannot_be_asked_is_unknown(
    repository: Repository, server: str, env: str
) -> None:
    files = tree(one=BASE)
    files["migrations/env.py"] = env
    root = repository(files)
    serving = git(root, "rev-parse", "HEAD")
    commit(
        root,
        {"migrations/versions/two.py": DROP, "migrations/env.py": str(tree()["migrations/env.py"])},
    )
    result = gate(root, serving=serving)
    assert result.status is Status.UNKNOWN
    assert "what the code that serves uses" in result.reason
    gone = gate(root, serving="0" * 40)
    assert gone.status is Status.UNKNOWN


def test_a_revision_that_reads_cannot_be_printed_and_is_traced_all_the_same(
    repository: Repository, server: str
) -> None:
    body = (
        "from alembic import op\nimport sqlalchemy as sa\ndef upgrade():\n"
        "    for row in op.get_bind().execute(sa.text('SELECT id FROM people')).all():\n"
        "        op.execute('UPDATE people SET name = 1')\n"
    )
    result = gate(repository(tree(one=BASE, two=revision("2", "1", body))))
    assert result.status is Status.PASS
    assert any("2 cannot be printed as SQL, the trace has to do" in one for one in result.explained)
    assert [one.kind for one in result.findings] == ["backfill"]


def test_an_env_py_that_only_connects_is_traced_too(repository: Repository, server: str) -> None:
    files = tree(one=BASE, two=INDEX)
    files["migrations/env.py"] = (
        "import os\nfrom alembic import context\nfrom sqlalchemy import create_engine\n"
        "with create_engine(os.environ['DATABASE_URL']).connect() as connection:\n"
        "    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n"
    )
    result = gate(repository(files))
    assert [one.kind for one in result.findings] == ["index-build"]


def test_without_a_server_nothing_passes(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCRATCH_SERVER", "postgres://me:hunter2@127.0.0.1:1/x")
    harmless = sql("2", "1", "ALTER TABLE people ADD COLUMN nick text")
    result = gate(repository(tree(one=BASE, two=harmless)))
    assert result.status is Status.UNKNOWN
    assert "migrations.postgres: no scratch database there" in result.reason
    assert "hunter2" not in str(result)


def test_a_base_that_cannot_be_built_here_is_unknown(repository: Repository, server: str) -> None:
    base = sql("1", None, "CREATE EXTENSION postgis")
    result = gate(repository(tree(one=base, two=sql("2", "1", "SELECT 1"))))
    assert result.status is Status.UNKNOWN
    assert "the schema that is there could not be built here" in result.reason
    assert "migrations.postgres" in result.clears


def test_sizes_make_small_tables_harmless_and_a_bad_file_is_named(
    repository: Repository, server: str
) -> None:
    root = repository(tree(one=BASE, two=INDEX))
    sizes = root / "sizes.json"
    tables = {"public.people": {"rows": 10, "bytes": 8192}}
    sizes.write_text(json.dumps({"taken_at": "2026-06-20T00:00:00+00:00", "tables": tables}))
    assert gate(root, table_sizes="sizes.json").open
    sizes.write_text(json.dumps({"taken_at": "2026-01-20T00:00:00+00:00", "tables": tables}))
    assert "sizes.json is 152 days old" in str(gate(root, table_sizes="sizes.json").explained)
    for text, key in (
        ("", "is not JSON"),
        ("[]", "tables: is not there"),
        ('{"tables": {"a.b": 3}, "taken_at": "x"}', "tables.a.b: takes"),
        ('{"tables": {"a.b": {"rows": true, "bytes": 1}}}', "tables.a.b: takes"),
        ('{"tables": {}, "taken_at": "yesterday"}', "taken_at: is not a moment"),
    ):
        sizes.write_text(text)
        with pytest.raises(ConfigError, match=key):
            gate(root, table_sizes="sizes.json")


def test_the_timeline_shows_statement_lock_table_and_stall(
    repository: Repository, server: str
) -> None:
    lines = "\n".join(gate(repository(tree(one=BASE, two=INDEX))).explained)
    assert lines.startswith("from 1 (https://app.test/health (schema))")
    assert " 1  CREATE INDEX ix ON people (name)" in lines
    assert "Share on public.people: blocks writes" in lines
    assert "builds an index of public.people: ?" in lines
    assert "! high index-build: writers of public.people wait" in lines


def test_a_migration_that_prints_and_reads_its_input_disturbs_nobody(
    repository: Repository, server: str, capfd: pytest.CaptureFixture[str]
) -> None:
    body = (
        "import sys\nprint('x' * 300000)\ndef upgrade():\n    print('noise')\n"
        "    assert sys.stdin.read() == ''\n"
    )
    assert gate(repository(tree(one=BASE, two=revision("2", "1", body)))).open
    assert capfd.readouterr() == ("", "")
