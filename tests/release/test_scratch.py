"""The smoke suite's database: temporary, at the head of this code, never the machine's."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from truegreen.config import load_config
from truegreen.hermetic.enclosure import SCRATCH_VARIABLE
from truegreen.release.scratch import NoDatabase, database_of

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
STARTER = """
import time
from truegreen.release.scratch_server import scratch_server
with scratch_server() as server:
    print(server.head, flush=True)
    time.sleep(120)
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
    with database_of(config, service.environ({}), scratch) as found:
        assert b"t0045" in Path(found[SCRATCH_VARIABLE]).read_bytes()
    assert not other.exists()


def test_migrations_that_cannot_run_on_it_fail_the_phase_with_the_way_out(service: Any) -> None:
    bad = "from alembic import op\nrevision='0046'\ndown_revision='0045'\n"
    bad += "import os\ndef upgrade():\n    if 'head.sqlite3' in os.environ['DATABASE_URL']:\n"
    service.write("migrations/versions/r0046.py", bad + "        op.execute('create gibberish')\n")
    ran = service.release()
    assert ran.code == 13, ran.output
    assert 'set smoke.database = "empty"' in ran.report.phase("smoke").problems[0]
    assert service.leftovers() == []


@pytest.mark.parametrize(
    "line",
    ['env.DATABASE_URL = "sqlite://"', 'pass_env = ["DATABASE_URL"]', 'scratch = "none"'],
)
def test_none_is_made_where_the_project_says_which(service: Any, tmp_path: Path, line: str) -> None:
    text = (service.root / "truegreen.toml").read_text()
    service.write("truegreen.toml", text.replace("[smoke]", f"[smoke]\n{line}"))
    with database_of(load_config(service.root), service.environ({}), tmp_path) as found:
        assert found == {}


def test_none_means_that_there_is_no_url(service: Any) -> None:
    text = (service.root / "truegreen.toml").read_text()
    service.write("truegreen.toml", text.replace("[smoke]", '[smoke]\nscratch = "none"'))
    service.write(
        "smoke/test_it.py",
        "import os\ndef test_it():\n    assert 'DATABASE_URL' not in os.environ\n",
    )
    ran = service.release()
    assert "1 of 1 passed" in ran.output, ran.output


PSYCOPG = """
import os
from alembic import context
from sqlalchemy import create_engine

url = os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg://")
with create_engine(url).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
ON_POSTGRES = """
import os, psycopg, pytest

@pytest.mark.parametrize("n", range(2))
def test_it(n):
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        name = connection.execute("select current_database()").fetchone()[0]
        tables = {row[0] for row in connection.execute("select tablename from pg_tables")}
        connection.execute("create table if not exists written (id int)")
    assert name.startswith("copy") and {"t0044", "t0045"} <= tables
    open("seen", "a").write(f"{os.getpid()} {name} ")
"""


def postgres(service: Any) -> None:
    text = (service.root / "truegreen.toml").read_text()
    service.write("truegreen.toml", text.replace("[smoke]", '[smoke]\nscratch = "postgres"'))
    service.write("migrations/env.py", PSYCOPG)
    service.write("smoke/test_it.py", ON_POSTGRES)


def test_on_postgres_each_process_has_a_copy_at_head_and_nothing_is_left(
    service: Any, tmp_path: Path
) -> None:
    postgres(service)
    service.write("pytest.ini", "[pytest]\naddopts = -n 2\n")
    ran = service.release()
    assert ran.code == 0, ran.output
    seen = (service.root / "seen").read_text().split()
    assert len(set(seen[::2])) == len(set(seen[1::2]))  # as many databases as processes
    assert service.leftovers() == []
    assert b"written" not in service.database.read_bytes()


PROVED = """
import os, psycopg

def test_it():
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("create table written (id int)")
    assert os.environ.get("FLAG_A") != "1"
"""


def test_prove_gives_every_rerun_a_copy_on_postgres_too(service: Any) -> None:
    postgres(service)
    service.write("smoke/test_it.py", PROVED)
    done = subprocess.run(
        [sys.executable, "-m", "truegreen", "hermetic", "prove", "--json"],
        cwd=service.root, env=service.environ({}), capture_output=True, text=True, timeout=150,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    (leak,) = document["leaks"]
    assert (leak["variable"], [one["value"] for one in leak["outcomes"]]) == ("FLAG_A", ["1"])
    assert (document["flaky"], document["unknown"]) == ([], [])
    assert service.leftovers() == []


KILLED = """
import os, pathlib, psycopg, signal

def test_it():
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            name = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == os.getppid() and b"embedded.scratch_server" in name:
            os.kill(int(folder.name), signal.SIGKILL)
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        backend = connection.execute("select pg_backend_pid()").fetchone()[0]
        stat = pathlib.Path(f"/proc/{backend}/stat").read_text()
    open("postgres", "w").write(stat.rpartition(")")[2].split()[1])
"""


def test_a_killed_server_program_leaves_no_postgres_and_no_file(service: Any) -> None:
    postgres(service)
    service.write("smoke/test_it.py", KILLED)
    service.release()
    pid = int((service.root / "postgres").read_text())
    until = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < until, "Postgres outlives the release command"
        time.sleep(0.1)
    assert service.leftovers() == []


def test_the_server_ends_with_a_starter_that_is_killed(tmp_path: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER],
        env={**os.environ, "TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert starter.stdout is not None
    address = urlsplit(starter.stdout.readline().strip())
    starter.kill()
    starter.wait()
    starter.stdout.close()
    until = time.monotonic() + 60
    while list(tmp_path.glob("truegreen-postgres-*")):
        assert time.monotonic() < until, "the scratch Postgres outlives its starter"
        time.sleep(0.1)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((address.hostname or "", address.port or 0), timeout=5)


def test_without_the_server_s_half_it_says_what_to_install(
    service: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres(service)
    monkeypatch.setattr("truegreen.release.scratch_server.PROGRAM", "truegreen.no_such_module")
    with (
        pytest.raises(NoDatabase, match=r"no_such_module.*truegreen\[ops\]"),
        database_of(load_config(service.root), service.environ({}), tmp_path),
    ):
        pass
