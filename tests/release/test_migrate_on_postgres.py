"""The migrate phase on a real Postgres: one at a time, patient, and whole after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from truegreen.release.migrate.session_lock import key_of

pytestmark = pytest.mark.xdist_group("postgres")

COUNTING = """\
import time
from alembic import op
revision = "0046"
down_revision = "0045"
def upgrade():
    op.execute("CREATE TABLE IF NOT EXISTS ran (n int)")
    op.execute("INSERT INTO ran VALUES (1)")
    time.sleep({pause})
    op.execute("ALTER TABLE t0044 ADD COLUMN told int")
"""


def connect(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


@pytest.fixture
def database(postgres: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(postgres) as connection:
        yield connection


def one(connection: psycopg.Connection[Any], statement: str) -> Any:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


def wait_for(condition: Any, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def said_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    said = ""
    while text not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    return said


def held(connection: psycopg.Connection[Any]) -> bool:
    statement = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    return bool(one(connection, statement))


def test_two_release_commands_at_once_migrate_once(
    service: Any, postgres: str, database: psycopg.Connection[Any]
) -> None:
    service.write("migrations/versions/r0046.py", COUNTING.format(pause=1.5))
    both = [service.begin("--only", "migrate", DATABASE_URL=postgres) for _ in range(2)]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert one(database, "SELECT count(*) FROM ran") == 1
    assert one(database, "SELECT version_num FROM alembic_version") == "0046"
    assert sum("another release command migrates (pid " in output for output in outputs) == 1
    assert sum("is at head already, 0046" in output for output in outputs) == 1
    assert not held(database)


def test_the_wait_for_another_one_is_bounded_and_names_it(
    service: Any, postgres: str, database: psycopg.Connection[Any]
) -> None:
    service.write("truegreen.toml", '[release]\nmigrate="alembic"\n[migrations]\nlock_wait = 0.5\n')
    database.execute(f"SELECT pg_advisory_lock({key_of(None, 'alembic_version')})")
    ran = service.release("--only", "migrate", DATABASE_URL=postgres)
    assert ran.code == 12
    pid = one(database, "SELECT pg_backend_pid()")
    assert f"another release command migrates this database (pid {pid}" in ran.output
    assert one(database, "SELECT to_regclass('t0044') IS NULL")


def test_behind_a_reader_of_three_seconds_it_tries_again_and_keeps_nobody_waiting(
    service: Any, postgres: str, database: psycopg.Connection[Any]
) -> None:
    assert service.release("--only", "migrate", DATABASE_URL=postgres).code == 0
    service.write("migrations/versions/r0046.py", COUNTING.format(pause=0))
    stalls: list[float] = []
    done = threading.Event()

    def read() -> None:
        with connect(postgres) as other:
            while not done.is_set():
                began = time.monotonic()
                other.execute("SELECT count(*) FROM t0044")
                stalls.append(time.monotonic() - began)
                time.sleep(0.01)

    reader = threading.Thread(target=read)
    with connect(postgres) as slow:
        slow.execute("BEGIN")
        slow.execute("SELECT count(*) FROM t0044")
        process = service.begin("--only", "migrate", DATABASE_URL=postgres)
        reader.start()
        try:
            output = said_until(process, "a table is in use by ")
            time.sleep(3)
            slow.execute("COMMIT")
            output += process.communicate(timeout=60)[0]
        finally:
            done.set()
            reader.join()
    assert process.returncode == 0, output
    assert one(database, "SELECT count(*) FROM ran") == 1, "an attempt left something behind"
    assert max(stalls) < 2.5, "a reader waited as long as the slow transaction lasted"


def test_patience_ends_with_the_blocker_named_and_nothing_done(
    service: Any, postgres: str, database: psycopg.Connection[Any]
) -> None:
    assert service.release("--only", "migrate", DATABASE_URL=postgres).code == 0
    toml = '[release]\nmigrate = "alembic"\n[migrations]\nlock_patience = 1.5\n'
    service.write("truegreen.toml", toml)
    service.write("migrations/versions/r0046.py", COUNTING.format(pause=0))
    with connect(postgres) as slow:
        slow.execute("SET application_name = 'nightly export'")
        slow.execute("BEGIN")
        slow.execute("SELECT count(*) FROM t0044")
        ran = service.release("--only", "migrate", DATABASE_URL=postgres)
    assert ran.code == 12
    assert "no lock within 1.5 s and " in ran.report.phases[0].problems[0]
    assert "nightly export, idle in transaction" in ran.report.phases[0].problems[0]
    assert ran.report.phases[0].to_revision == "0045"
    assert one(database, "SELECT to_regclass('ran') IS NULL")


def test_killed_in_a_migration_it_goes_on_from_the_one_before(
    service: Any, postgres: str, database: psycopg.Connection[Any]
) -> None:
    service.write("migrations/versions/r0046.py", COUNTING.format(pause=60))
    process = service.begin("--only", "migrate", DATABASE_URL=postgres)
    busy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'INSERT INTO ran%'"
    wait_for(lambda: one(database, busy))
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    child = int(children.read_text().split()[0])
    for pid in (process.pid, child):
        os.kill(pid, signal.SIGKILL)
    process.communicate()
    wait_for(lambda: not held(database))
    assert one(database, "SELECT version_num FROM alembic_version") == "0045"
    assert one(database, "SELECT to_regclass('ran') IS NULL")
    service.write("migrations/versions/r0046.py", COUNTING.format(pause=0))
    ran = service.release("--only", "migrate", DATABASE_URL=postgres)
    assert ran.code == 0, ran.output
    assert (ran.report.phases[0].from_revision, ran.report.phases[0].to_revision) == (
        "0045",
        "0046",
    )


def test_a_failing_migration_keeps_those_before_it_and_shows_no_row(
    service: Any, postgres: str, database: psycopg.Connection[Any]
) -> None:
    body = (
        "from alembic import op\nrevision = '0046'\ndown_revision = '0045'\ndef upgrade():\n"
        '    op.execute("CREATE TABLE p (mail text PRIMARY KEY)")\n'
        "    op.execute(\"INSERT INTO p VALUES ('ada' || '@private.test')\")\n"
        "    op.execute(\"INSERT INTO p VALUES ('ada' || '@private.test')\")\n"
    )
    service.write("migrations/versions/r0046.py", body)
    ran = service.release("--only", "migrate", DATABASE_URL=postgres)
    assert ran.code == 12
    problem = ran.report.phases[0].problems[0]
    assert problem.startswith("migrations/versions/r0046.py:")
    assert "UniqueViolation: duplicate key value" in problem
    assert "ada@private.test" not in ran.output
    assert ran.report.phases[0].to_revision == "0045"
    assert one(database, "SELECT to_regclass('p') IS NULL")


def test_a_direct_url_goes_past_the_pooler(service: Any, postgres: str) -> None:
    ran = service.release(
        "--only",
        "migrate",
        DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/pooled",
        TRUEGREEN_MIGRATION_DATABASE_URL=postgres,
    )
    assert ran.code == 0, ran.output
    assert ran.report.phases[0].to_revision == "0045"
    assert postgres not in ran.output


def test_an_env_py_with_a_transaction_of_its_own_still_migrates(
    service: Any, postgres: str, database: psycopg.Connection[Any]
) -> None:
    service.write(
        "migrations/env.py",
        "import os\nfrom alembic import context\nfrom sqlalchemy import create_engine, text\n"
        "with create_engine(os.environ['DATABASE_URL']).begin() as connection:\n"
        "    connection.execute(text('SELECT 1'))\n"
        "    context.configure(connection=connection)\n"
        "    context.run_migrations()\n",
    )
    ran = service.release("--only", "migrate", DATABASE_URL=postgres)
    assert ran.code == 0, ran.output
    assert one(database, "SELECT version_num FROM alembic_version") == "0045"


def test_an_asynchronous_env_py_migrates_under_the_lock(
    service: Any, postgres: str, database: psycopg.Connection[Any]
) -> None:
    service.write(
        "migrations/env.py",
        "import asyncio, os\nfrom alembic import context\n"
        "from sqlalchemy.ext.asyncio import create_async_engine\n"
        "def work(connection):\n"
        "    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n"
        "async def main():\n"
        "    engine = create_async_engine(os.environ['DATABASE_URL'])\n"
        "    async with engine.connect() as connection:\n"
        "        await connection.run_sync(work)\n"
        "    await engine.dispose()\n"
        "asyncio.run(main())\n",
    )
    service.write("migrations/versions/r0046.py", COUNTING.format(pause=0))
    ran = service.release("--only", "migrate", DATABASE_URL=postgres)
    assert ran.code == 0, ran.output
    assert one(database, "SELECT count(*) FROM ran") == 1
    assert not held(database)


def test_an_index_made_concurrently_is_left_alone(service: Any, postgres: str) -> None:
    service.write(
        "migrations/versions/r0046.py",
        "from alembic import op\nrevision = '0046'\ndown_revision = '0045'\ndef upgrade():\n"
        "    with op.get_context().autocommit_block():\n"
        "        op.execute('CREATE INDEX CONCURRENTLY ix ON t0044 (id)')\n",
    )
    ran = service.release("--only", "migrate", DATABASE_URL=postgres)
    assert ran.code == 0, ran.output
