"""The smoke suite's database: temporary, at the head of this code, never the machine's."""

from pathlib import Path
from typing import Any

import pytest

from truegreen.config import load_config
from truegreen.release.scratch import at_head

SMOKE = """
import os, sqlite3
def test_it():
    path = os.environ["DATABASE_URL"].removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        tables = {row[0] for row in connection.execute("select name from sqlite_master")}
        connection.execute("create table written (id int)")
    assert WANTED <= tables, tables
    assert "written" not in tables
"""
INI_FIRST = """
import os
from alembic import context
from sqlalchemy import create_engine

url = context.config.get_main_option("sqlalchemy.url")
with create_engine(url).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


def test_the_suite_finds_the_schema_at_head_and_writes_to_no_other_database(service: Any) -> None:
    service.write("smoke/test_it.py", SMOKE.replace("WANTED", "{'t0044', 't0045'}"))
    ran = service.release()
    assert ran.code == 0, ran.output
    assert b"t0045" in service.database.read_bytes()
    assert b"written" not in service.database.read_bytes()


def test_the_project_may_want_an_empty_one(service: Any) -> None:
    service.write("smoke/test_it.py", SMOKE.replace("WANTED", "set()") + "    assert not tables\n")
    text = (service.root / "truegreen.toml").read_text()
    assert service.release().code == 13
    service.write("truegreen.toml", text.replace("[smoke]", '[smoke]\ndatabase = "empty"'))
    ran = service.release()
    assert ran.code == 0, ran.output


def test_a_database_named_in_the_ini_file_is_not_touched(service: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite3"
    ini = f"[alembic]\nscript_location = migrations\nsqlalchemy.url = sqlite:///{other}\n"
    service.write("alembic.ini", ini)
    service.write("migrations/env.py", INI_FIRST)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    config = load_config(service.root)
    found = at_head(config, service.environ({}), scratch)
    assert isinstance(found, Path)
    assert b"t0045" in found.read_bytes()
    assert not other.exists()


def test_migrations_that_cannot_run_on_it_fail_the_phase_with_the_way_out(service: Any) -> None:
    bad = "from alembic import op\nrevision='0046'\ndown_revision='0045'\n"
    bad += "import os\ndef upgrade():\n    if 'head.sqlite3' in os.environ['DATABASE_URL']:\n"
    service.write("migrations/versions/r0046.py", bad + "        op.execute('create gibberish')\n")
    ran = service.release()
    assert ran.code == 13, ran.output
    assert 'set smoke.database = "empty"' in ran.report.phase("smoke").problems[0]
    assert service.leftovers() == []


@pytest.mark.parametrize("line", ['env.DATABASE_URL = "sqlite://"', 'pass_env = ["DATABASE_URL"]'])
def test_none_is_made_where_the_project_says_which(service: Any, tmp_path: Path, line: str) -> None:
    text = (service.root / "truegreen.toml").read_text()
    service.write("truegreen.toml", text.replace("[smoke]", f"[smoke]\n{line}"))
    assert at_head(load_config(service.root), service.environ({}), tmp_path) is None
