"""The plugin in a real pytest session: what is sealed, what is a leak, and what is told."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from truegreen.hermetic.result import SessionResult, read_result

MACHINE = {"FLAG_GUARD": "1", "OTHER": "production"}
APP = """\
import os
from os import environ as early

def guard():
    return os.environ.get("FLAG_GUARD")
"""


class Session:
    """A service's root in which one pytest session is run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.output = ""
        self.code = -1
        self.write("app.py", APP)

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def run(self, tests: str, *args: str, smoke: str = "") -> SessionResult:
        self.write("truegreen.toml", f"[smoke]\n{smoke}\n")
        self.write("test_it.py", "import os, subprocess, sys\nimport app\nimport pytest\n" + tests)
        result = self.root / "result.json"
        argv = [sys.executable, "-m", "pytest", "-p", "truegreen.hermetic.plugin"]
        argv += ["-p", "no:cacheprovider", f"--truegreen-result={result}", *args, "test_it.py"]
        done = subprocess.run(
            argv, cwd=self.root, env=environ(MACHINE), capture_output=True, text=True, timeout=120
        )
        self.output, self.code = done.stdout + done.stderr, done.returncode
        found = read_result(result)
        assert found is not None, self.output
        assert found.exit == self.code
        return found


def environ(more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **more}


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(tmp_path)


def names(result: SessionResult) -> list[str]:
    return [leak.variable for leak in result.leaks]


def told(result: SessionResult) -> list[tuple[str, str, int, bool, int]]:
    return [(one.variable, one.file, one.line, one.present, one.count) for one in result.leaks]


def test_a_read_of_what_is_not_pinned_is_named_with_its_line_and_fails(session: Session) -> None:
    result = session.run("def test_a():\n    assert app.guard() is None\n    app.guard()\n")
    assert told(result) == [("FLAG_GUARD", "app.py", 5, False, 2)]
    assert (result.passed, result.sealed, session.code) == (1, True, 1)
    assert "FLAG_GUARD read at app.py:5" in session.output
    assert {"FLAG_GUARD", "OTHER"} <= set(result.removed)


def test_a_pin_in_the_configuration_is_seen_and_is_no_leak(session: Session) -> None:
    result = session.run(
        "def test_a():\n    assert app.guard() == '0'\n", smoke='env.FLAG_GUARD = "0"'
    )
    assert (result.passed, result.leaks, session.code) == (1, (), 0)


def test_what_is_let_through_has_the_machines_value(session: Session) -> None:
    result = session.run(
        "def test_a():\n    assert app.guard() == '1'\n", smoke='pass_env = ["FLAG_GUARD"]'
    )
    assert (result.passed, result.leaks) == (1, ())


@pytest.mark.parametrize(
    ("policy", "code", "told"), [("warn", 0, "a warning"), ("record", 0, "recorded")]
)
def test_leaks_fail_only_where_they_are_to(
    session: Session, policy: str, code: int, told: str
) -> None:
    result = session.run("def test_a():\n    app.guard()\n", smoke=f'leaks = "{policy}"')
    assert (names(result), session.code) == (["FLAG_GUARD"], code)
    assert told in session.output


def test_without_the_seal_the_machine_decides_and_the_leak_says_so(session: Session) -> None:
    result = session.run(
        "def test_a():\n    assert app.guard() == '1'\n", smoke='seal = false\nleaks = "record"'
    )
    assert told(result) == [("FLAG_GUARD", "app.py", 5, True, 1)]
    assert (result.passed, result.sealed, result.removed) == (1, False, ())


WAYS = (
    "os.getenv('X')",
    "os.environ.get('X')",
    "'X' in os.environ",
    "app.early.get('X')",
    "os.path.expandvars('$X')",
    "pytest.raises(KeyError, lambda: os.environ['X'])",
    "os.environ.pop('X', None)",
)


def test_every_way_of_reading_is_seen(session: Session) -> None:
    tests = [f"def test_{n}():\n    {way.replace('X', f'X{n}')}\n" for n, way in enumerate(WAYS)]
    result = session.run("".join(tests))
    assert told(result) == [
        (f"X{n}", "test_it.py", 5 + 2 * n, False, 1) for n, _ in enumerate(WAYS)
    ]


def test_reads_at_import_and_in_conftest_are_seen(session: Session) -> None:
    session.write("conftest.py", "import os\nos.environ.get('IN_CONFTEST')\n")
    session.write("app.py", "import os\nAT_IMPORT = os.environ.get('AT_IMPORT')\n")
    result = session.run("def test_a():\n    pass\n")
    assert told(result) == [
        ("AT_IMPORT", "app.py", 2, False, 1),
        ("IN_CONFTEST", "conftest.py", 2, False, 1),
    ]


PINNING = """
from unittest import mock

def test_set(monkeypatch):
    monkeypatch.setenv("FLAG_GUARD", "1")
    assert app.guard() == "1"

def test_deleted(monkeypatch):
    monkeypatch.delenv("FLAG_GUARD", raising=False)
    assert app.guard() is None

def test_mocked():
    with mock.patch.dict(os.environ, {"FLAG_GUARD": "1"}):
        assert app.guard() == "1"

@mock.patch.dict("os.environ", clear=True)
def test_cleared():
    assert app.guard() is None

def test_written():
    os.environ["WRITTEN"] = "1"
    assert os.environ["WRITTEN"] == "1"
"""


def test_what_a_test_pins_is_no_leak(session: Session) -> None:
    result = session.run(PINNING)
    assert (result.passed, result.leaks) == (5, ())


def test_a_pin_ends_with_the_test_that_made_it(session: Session) -> None:
    result = session.run(PINNING + "\ndef test_unpinned():\n    assert app.guard() is None\n")
    assert told(result) == [("FLAG_GUARD", "app.py", 5, False, 1)]


def test_reading_everything_is_no_leak_of_each(session: Session) -> None:
    result = session.run(
        "def test_a():\n"
        "    assert dict(os.environ) == os.environ.copy() == {**os.environ}\n"
        "    assert len(list(os.environ.items())) == len(list(os.environ.values()))\n"
        "    assert sorted(os.environ) and os.environ | {}\n",
        smoke="seal = false",
    )
    assert (result.passed, result.leaks) == (1, ())


def test_a_librarys_own_reads_are_not_the_users(session: Session) -> None:
    result = session.run("def test_a():\n    from flask import Flask\n    Flask('x')\n")
    assert (result.passed, result.leaks) == (1, ())


def test_our_health_reads_metadata_without_a_leak_and_the_user_not(session: Session) -> None:
    result = session.run(
        "from truegreen.health import Health\n"
        "def test_a():\n"
        "    assert Health('x', os.environ).commit is None\n"
        "    os.environ.get('HEROKU_SLUG_COMMIT')\n"
    )
    assert told(result) == [("HEROKU_SLUG_COMMIT", "test_it.py", 7, False, 1)]


def test_the_seal_holds_for_children_and_for_c(session: Session) -> None:
    result = session.run(
        "import ctypes, time\n"
        "def test_a():\n"
        "    assert b'OTHER' not in subprocess.check_output(['env'])\n"
        "    assert not ctypes.CDLL(None).getenv(b'OTHER')\n"
        "    assert time.tzname[0] == 'UTC'\n"
    )
    assert result.passed == 1, session.output


def test_totals_and_failures_are_told(session: Session) -> None:
    result = session.run(
        "@pytest.fixture\ndef broken():\n    raise RuntimeError('no')\n"
        "class Response:\n    status_code = 403\n    content = b'direct_origin_blocked'\n"
        "def test_passes():\n    pass\n"
        "def test_fails():\n    response = Response()\n    assert response.status_code == 404\n"
        "def test_errors(broken):\n    pass\n"
        "@pytest.mark.skip\ndef test_skipped():\n    pass\n"
    )
    assert (result.total, result.passed, result.failed, result.errors, result.skipped) == (
        4,
        1,
        1,
        1,
        1,
    )
    failed, errored = result.failures
    assert failed.test == "test_it.py::test_fails"
    assert failed.message == "assert 403 == 404"
    assert failed.body == "direct_origin_blocked"
    assert errored.message == "RuntimeError: no"


def test_a_module_that_cannot_be_imported_is_an_error(session: Session) -> None:
    result = session.run("import nowhere_to_be_found\n")
    assert (result.total, result.errors, session.code) == (0, 1, 2)
    assert "nowhere_to_be_found" in result.failures[0].message


def test_leaks_of_parallel_workers_are_told(session: Session) -> None:
    result = session.run("def test_a():\n    app.guard()\n", "-n", "2")
    assert (names(result), result.passed, session.code) == (["FLAG_GUARD"], 1, 1)


def test_an_unreadable_configuration_ends_the_session(tmp_path: Path) -> None:
    (tmp_path / "truegreen.toml").write_text("[smoke]\nsea = true\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "truegreen.hermetic.plugin"],
        cwd=tmp_path,
        env=environ({}),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 4
    assert "did you mean smoke.seal?" in done.stderr
    assert "Traceback" not in done.stderr


IN_PROCESS = """\
import os, pytest
before, kind = dict(os.environ), type(os.environ)
code = pytest.main(["-q", "-p", "truegreen.hermetic.plugin", "-p", "no:cacheprovider"])
assert code == 1, code
assert dict(os.environ) == before, set(os.environ) ^ set(before)
assert type(os.environ) is kind
assert not hasattr(os.environ, "recording")
print("restored")
"""


def test_a_session_in_this_process_puts_the_environment_back(session: Session) -> None:
    session.write("test_it.py", "import app\ndef test_a():\n    assert app.guard() is None\n")
    done = subprocess.run(
        [sys.executable, "-c", IN_PROCESS],
        cwd=session.root,
        env=environ(MACHINE),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "restored" in done.stdout, done.stdout + done.stderr
