"""Suites that do to the environment what they should not: each is told, none is taken for clean."""

import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from truegreen.hermetic.result import SessionResult

Suite = Callable[..., SessionResult]
Pytest = Callable[..., subprocess.CompletedProcess[str]]
READS = "import os\ndef test_a():\n    assert os.environ.get('X') is None\n"


def test_an_environment_that_is_replaced_for_a_while_is_watched_again(suite: Suite) -> None:
    result = suite(
        test_it=(
            "import os\nfrom unittest import mock\n"
            "def test_a():\n"
            "    with mock.patch('os.environ', {'X': '1'}):\n"
            "        assert os.getenv('X') == '1'\n"
            "    os.getenv('Y')\n"
        )
    )
    assert [one.variable for one in result.leaks] == ["Y"]
    assert result.unseen == ()


@pytest.mark.parametrize("where", ["    ", ""])
def test_an_environment_that_is_replaced_for_good_is_told_and_fails(
    suite: Suite, where: str
) -> None:
    test = f"import os\ndef test_a():\n    pass\n{where}os.environ = dict(os.environ)\n"
    result = suite(test_it=test + "def test_b():\n    os.getenv('X')\n")
    (sentence,) = result.unseen
    who = "test_it.py::test_a" if where else "the collection of tests"
    assert sentence.startswith(f"{who} replaced os.environ")
    assert result.exit == 1


def test_children_of_the_suite_are_sealed_too(suite: Suite) -> None:
    test = (
        "import subprocess, sys\n"
        "def test_a():\n"
        "    code = 'import os; print(sorted(os.environ))'\n"
        "    said = subprocess.check_output([sys.executable, '-c', code], text=True)\n"
        "    assert 'SECRET' not in said and 'DATABASE_URL' in said, said\n"
    )
    assert suite(test_it=test, machine={"SECRET": "1"}).passed == 1


def test_what_is_imported_before_the_plugin_is_told_with_the_way_out(
    suite: Suite, run_pytest: Pytest, tmp_path: Path
) -> None:
    suite(
        test_it="def test_a():\n    pass\n",
        conftest="import os\npytest_plugins = ['truegreen.hermetic.plugin']\n",
    )
    late = run_pytest()
    assert late.returncode == 1
    assert "conftest imported before the seal could act" in late.stdout
    assert "-p truegreen.hermetic.plugin" in late.stdout


def test_a_variable_whose_absence_breaks_the_import_is_named(suite: Suite) -> None:
    result = suite(app="import os\nKEY = os.environ['KEY']\n", test_it="import app\n")
    assert (result.errors, result.total) == (1, 0)
    assert [(one.variable, one.file, one.line, one.phase) for one in result.leaks] == [
        ("KEY", "app.py", 2, "import")
    ]


def test_names_and_values_that_are_not_utf8_are_read_and_told(
    suite: Suite, run_pytest: Pytest
) -> None:
    test = (
        "import os\n"
        "def test_a():\n"
        "    assert os.environb[b'L'] == b'\\xff'\n"
        "    os.environb.get(b'N\\xff')\n"
    )
    result = suite("-n1", test_it=test, smoke='pass_env = ["L"]', machine={"L": "\udcff"})
    assert result.failed == 0, result.failures
    assert [one.variable for one in result.leaks] == ["N\udcff"]
    said = run_pytest("-p", "truegreen.hermetic.plugin", machine={"L": "\udcff"})
    assert "N\\udcff read at test_it.py:4" in said.stdout
    assert "INTERNALERROR" not in said.stdout + said.stderr


def test_a_suite_with_no_tests_is_no_pass(suite: Suite) -> None:
    result = suite(test_it="")
    assert (result.exit, result.total) == (5, 0)


NETWORK = """
import asyncio, socket, urllib.request
import pytest

def test_loopback():
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())
    socket.getaddrinfo("localhost", 80)

def test_address():
    with socket.socket() as client:
        with pytest.raises(PermissionError, match=r"192\\.0\\.2\\.1:5432.*smoke\\.allow_hosts"):
            client.connect(("192.0.2.1", 5432))
        with pytest.raises(PermissionError):
            client.connect_ex(("192.0.2.1", 5432))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        with pytest.raises(PermissionError):
            client.sendto(b"x", ("192.0.2.1", 53))

def test_name():
    with pytest.raises(OSError, match="db.example"):
        urllib.request.urlopen("http://db.example/")

def test_asyncio():
    with pytest.raises(PermissionError):
        asyncio.run(asyncio.wait_for(asyncio.open_connection("192.0.2.1", 80), 30))
"""


def test_connections_end_at_this_machine_and_are_told(suite: Suite) -> None:
    result = suite(test_it=NETWORK)
    assert (result.passed, result.failed, result.exit) == (4, 0, 1), result.failures
    found = {(one.host, one.port) for one in result.blocked}
    assert found == {("192.0.2.1", 5432), ("192.0.2.1", 53), ("db.example", 0), ("192.0.2.1", 80)}
    first = next(one for one in result.blocked if one.port == 5432)
    assert (first.file, first.line, first.tests) == (
        "test_it.py",
        15,
        ("test_it.py::test_address",),
    )


def test_allowed_hosts_are_let_through(suite: Suite) -> None:
    test = (
        "import socket\n"
        "def test_a():\n"
        "    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:\n"
        "        one.connect(('192.0.2.1', 9))\n"
    )
    assert suite(test_it=test).failed == 1
    result = suite(test_it=test, smoke='allow_hosts = ["192.0.2.*"]')
    assert (result.passed, result.blocked) == (1, ())
    assert suite(test_it=test, smoke="seal = false").passed == 1


def test_home_zone_and_locale_are_the_same_everywhere(suite: Suite) -> None:
    test = (
        "import locale, os, pathlib, time\n"
        "def test_a():\n"
        "    assert list(pathlib.Path.home().iterdir()) == []\n"
        "    assert str(pathlib.Path.home()) != '/nonexistent'\n"
        "    assert time.tzname == ('UTC', 'UTC')\n"
        "    assert locale.setlocale(locale.LC_ALL, '') == 'C.UTF-8'\n"
    )
    machine = {"TZ": "Asia/Tokyo", "LANG": "de_DE.UTF-8", "LC_TIME": "de_DE.UTF-8"}
    result = suite(test_it=test, machine={"HOME": "/nonexistent", **machine})
    assert result.passed == 1, result.failures


def test_the_scratch_database_of_the_release_phase_is_copied(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "head.sqlite3").write_bytes(b"head")
    test = (
        "import os, pathlib\n"
        "def test_a():\n"
        "    path = pathlib.Path(os.environ['DATABASE_URL'].removeprefix('sqlite:///'))\n"
        "    assert path.read_bytes() == b'head'\n"
        "    path.write_bytes(b'changed')\n"
    )
    machine = {"TRUEGREEN_SCRATCH_DATABASE": str(tmp_path / "head.sqlite3")}
    assert suite("-n2", test_it=test, machine=machine).passed == 1
    assert (tmp_path / "head.sqlite3").read_bytes() == b"head"


def test_junit_names_the_leak_at_its_test(suite: Suite, tmp_path: Path) -> None:
    suite("--junitxml=junit.xml", "-n1", test_it=READS)
    junit = (tmp_path / "junit.xml").read_text()
    assert '<property name="truegreen.leak" value="X test_it.py:3"' in junit


def test_a_scratch_server_that_is_gone_is_one_sentence_and_nothing_runs(
    run_pytest: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "test_it.py").write_text("open('ran', 'w')\ndef test_a():\n    pass\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = run_pytest(
        *("-p", "truegreen.hermetic.plugin"),
        machine={"TRUEGREEN_SCRATCH_DATABASE": f"truegreen-copies://secret@127.0.0.1:{port}"},
    )
    assert done.returncode == 4
    assert f"the temporary Postgres that 127.0.0.1:{port} gave copies of is gone" in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stdout + done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("workers", ["-n0", "-n1"])
def test_the_current_folder_of_the_tests_is_temporary_where_that_is_wanted(
    suite: Suite, tmp_path: Path, workers: str
) -> None:
    test = (
        "import os, pathlib\n"
        "COLLECTED = os.listdir()\n"
        "def test_a():\n"
        "    assert 'test_it.py' in COLLECTED and os.listdir() == []\n"
        "    pathlib.Path('left').write_text(os.environ.get('X', ''))\n"
        "    import lazy\n"
    )
    result = suite(workers, smoke='cwd = "temporary"', test_it=test, lazy="")
    assert (result.passed, result.failures) == (1, ())
    (leak,) = result.leaks  # lines are still told from the root
    assert (leak.file, leak.line) == ("test_it.py", 5)
    assert not (tmp_path / "left").exists()
