"""``hermetic prove`` on real suites: what it blames, on which line, and what it leaves alone."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import truegreen

SCHEMA = Path(truegreen.__file__).parent / "outputs" / "schemas" / "hermetic-prove.json"
pytestmark = pytest.mark.timeout(180)
CONFIG = '[service]\nname = "x"\n[smoke]\npaths = ["test_it.py"]\nleaks = "record"\n'


@dataclass(frozen=True)
class Proved:
    code: int
    document: Any
    err: str

    @property
    def variables(self) -> list[str]:
        return [leak["variable"] for leak in self.document["leaks"]]


class Suite:
    """A service's root with a suite, and the verb run in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.start: tuple[str, ...] = ("-m", "truegreen")
        self.write("truegreen.toml", CONFIG)

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def command(self, *options: str) -> list[str]:
        return [sys.executable, *self.start, "hermetic", "prove", "--json", *options]

    def environ(self, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(self.tmp), **more}

    @property
    def tmp(self) -> Path:
        folder = self.root.parent / "tmp"
        folder.mkdir(exist_ok=True)
        return folder

    def prove(self, tests: str, *options: str, app: str = "", **environ: str) -> Proved:
        self.write("app.py", "import os\n" + app)
        self.write("test_it.py", "import os, app\nimport pytest\n" + tests)
        done = subprocess.run(
            self.command(*options),
            cwd=self.root,
            env=self.environ(**environ),
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert not list(self.tmp.iterdir())
        document = json.loads(done.stdout) if done.stdout else None
        if document is not None:
            jsonschema.validate(document, json.loads(SCHEMA.read_text()))
        return Proved(done.returncode, document, done.stderr)


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    root = tmp_path / "service"
    root.mkdir()
    return Suite(root)


GUARD = "def guard():\n    return os.environ.get('FLAG_GUARD') == '1'\n"


def test_a_test_that_ends_differently_is_named_with_variable_value_and_line(suite: Suite) -> None:
    proved = suite.prove("def test_a():\n    assert not app.guard()\n", app=GUARD)
    assert proved.code == 1
    (leak,) = proved.document["leaks"]
    assert (leak["variable"], leak["file"], leak["line"]) == ("FLAG_GUARD", "app.py", 3)
    assert leak["tests"] == ["test_it.py::test_a"]
    (outcome,) = leak["outcomes"]
    assert (outcome["value"], outcome["unchanged"], outcome["changed"]) == ("1", "passed", "failed")
    assert outcome["message"].startswith("assert not True")


def test_what_is_read_and_changes_nothing_is_no_leak(suite: Suite) -> None:
    suite.write("truegreen.toml", CONFIG + 'cwd = "temporary"\n')  # each run has its own
    proved = suite.prove("def test_a():\n    open('x', 'x')\n    app.guard()\n", app=GUARD)
    assert (proved.code, proved.document["leaks"]) == (0, [])
    assert proved.document["harmless"] == ["FLAG_GUARD"]
    assert not (suite.root / "x").exists()


WITH_CONFIG_VARS = """\
from types import SimpleNamespace
import truegreen.ship.borrowed as borrowed
borrowed.borrow_from = lambda config, env, platform, app: SimpleNamespace(values={"MODE": app})
from truegreen.cli import main
main()
"""


def test_the_value_that_the_platform_really_has_is_tried(suite: Suite) -> None:
    suite.start = ("-c", WITH_CONFIG_VARS)
    tests = "def test_a():\n    assert os.environ.get('MODE') != 'raxx-api-prod'\n"
    assert suite.prove(tests).code == 0
    proved = suite.prove(tests, "--env-from", "raxx-api-prod")
    ((outcome,),) = [leak["outcomes"] for leak in proved.document["leaks"]]
    assert (proved.code, outcome["value"]) == (1, "raxx-api-prod")


def test_only_the_tests_that_read_are_run_again(suite: Suite) -> None:
    proved = suite.prove(
        "def test_a():\n    assert not app.guard()\n"
        "def test_b():\n    open('runs', 'a').write('b')\n",
        app="open('imports', 'a').write('i')\n" + GUARD,
    )
    assert proved.variables == ["FLAG_GUARD"]
    assert (suite.root / "runs").read_text() == "bb"  # the two unchanged runs
    assert (suite.root / "imports").read_text() == "i"  # every run is a fork of one collection


def test_a_variable_read_at_import_is_tried_from_before_the_import(suite: Suite) -> None:
    proved = suite.prove(
        "def test_a():\n    assert not app.ON\n", app="ON = os.environ.get('EARLY') == '1'\n"
    )
    assert (proved.code, proved.variables) == (1, ["EARLY"])
    assert proved.document["leaks"][0]["line"] == 2


def test_a_variable_whose_absence_crashes_the_import_is_named(suite: Suite) -> None:
    proved = suite.prove(
        "def test_a():\n    assert app.FIRST and not app.guard()\n",
        app="FIRST = os.environ['FIRST']\nSECOND = os.environ['SECOND']\n" + GUARD,
    )
    assert proved.code == 1
    assert proved.variables[:2] == ["FIRST", "SECOND"]
    assert "FLAG_GUARD" in proved.variables
    first = proved.document["leaks"][0]
    assert (first["line"], first["tests"]) == (2, ["test_it.py"])
    assert first["outcomes"][0]["unchanged"] == "error"


def test_pins_are_no_subject_and_fix_makes_the_leak_go_away(suite: Suite) -> None:
    tests = (
        "def test_a():\n    assert not app.guard()\n"
        "    assert os.environ.get('ONE_ONLY') in (None, 'garbage')\n"
    )
    before = CONFIG + "\n# pins\n[smoke.env]\n# this one is known\nOTHER = 'x'\n"
    suite.write("truegreen.toml", before)
    assert suite.prove(tests, "--fix", app=GUARD).variables == ["FLAG_GUARD", "ONE_ONLY"]
    after = (suite.root / "truegreen.toml").read_text()
    assert after == before + 'FLAG_GUARD = "0"\nONE_ONLY = "garbage"\n'  # values that do no harm
    assert tomllib.loads(after)["smoke"]["env"]["FLAG_GUARD"] == "0"
    again = suite.prove(tests, app=GUARD)
    assert (again.code, again.document["cases"]) == (0, 0)


def test_an_app_that_keeps_its_database_from_the_import_gets_a_new_one_for_each_run(
    suite: Suite,
) -> None:
    proved = suite.prove(
        "import sqlite3\n"
        "def test_a():\n"
        "    assert not app.guard()\n"
        "    with sqlite3.connect(app.FILE) as connection:\n"
        "        connection.execute('create table written (id int)')\n",
        app="FILE = os.environ['DATABASE_URL'].removeprefix('sqlite:///')\n" + GUARD,
    )
    assert (proved.variables, proved.document["flaky"]) == (["FLAG_GUARD"], [])


def test_flaky_tests_are_set_apart_and_blamed_on_nothing(suite: Suite) -> None:
    proved = suite.prove(
        "def test_flaky():\n"
        "    app.guard()\n"
        "    seen = os.path.exists('seen')\n"
        "    (os.remove if seen else lambda p: open(p, 'w').close())('seen')\n"
        "    assert seen\n"
        "def test_a():\n    assert not app.guard()\n",
        app=GUARD,
    )
    assert proved.document["flaky"] == ["test_it.py::test_flaky"]
    assert [leak["tests"] for leak in proved.document["leaks"]] == [["test_it.py::test_a"]]


def test_a_test_that_needs_its_neighbour_is_not_blamed_on_a_variable(suite: Suite) -> None:
    proved = suite.prove(
        "def test_before():\n    app.ready = True\n"
        "def test_after():\n    app.guard()\n    assert getattr(app, 'ready', False)\n",
        app=GUARD,
    )
    assert (proved.code, proved.document["leaks"]) == (0, [])
    assert proved.document["flaky"] == ["test_it.py::test_after"]


def test_a_test_that_takes_the_process_down_is_a_changed_outcome(suite: Suite) -> None:
    proved = suite.prove("def test_a():\n    if app.guard():\n        os.abort()\n", app=GUARD)
    (outcome,) = proved.document["leaks"][0]["outcomes"]
    assert (outcome["unchanged"], outcome["changed"]) == ("passed", "crashed")


def test_a_test_that_hangs_with_a_value_is_a_changed_outcome(suite: Suite) -> None:
    suite.write("truegreen.toml", CONFIG + "timeout = 3\n")
    proved = suite.prove("def test_a():\n    while app.guard():\n        pass\n", app=GUARD)
    (outcome,) = proved.document["leaks"][0]["outcomes"]
    assert (outcome["value"], outcome["changed"]) == ("1", "timed out")


def test_a_suite_without_tests_is_no_proof(suite: Suite) -> None:
    proved = suite.prove("x = 1\n")
    assert (proved.code, proved.document) == (3, None)
    assert "no tests" in proved.err


def test_a_suite_of_which_nothing_passes_is_no_proof(suite: Suite) -> None:
    proved = suite.prove("def test_a():\n    assert 0\n")
    assert (proved.code, proved.document["leaks"]) == (3, [])
    assert proved.document["unknown"] == ["not one test passes in the unchanged run"]


def test_a_conftest_that_needs_variables_names_each_and_the_rest_is_proved(suite: Suite) -> None:
    suite.write("conftest.py", "import os\nos.environ['FIRST']\nint(os.environ['SECOND'])\n")
    proved = suite.prove("def test_a():\n    assert not app.guard()\n", "--fix", app=GUARD)
    assert (proved.code, proved.variables) == (1, ["FIRST", "SECOND", "FLAG_GUARD"])
    first, second, _ = proved.document["leaks"]
    assert (first["file"], first["line"], second["line"]) == ("conftest.py", 2, 3)
    (outcome,) = first["outcomes"]
    assert (outcome["value"], outcome["unchanged"]) == ("1", "error")
    assert suite.prove("def test_a():\n    pass\n").code == 0  # the pins that were written


def test_a_conftest_that_crashes_for_another_reason_is_no_proof(suite: Suite) -> None:
    suite.write("conftest.py", "import os\nos.environ.get('READ')\n1 / 0\n")
    proved = suite.prove("def test_a():\n    pass\n")
    assert (proved.code, proved.document) == (3, None)
    assert "ZeroDivisionError" in proved.err


def test_the_machines_values_stay_outside_even_those_that_are_not_utf8(suite: Suite) -> None:
    tests = "def test_a():\n    assert os.environ.get('ODD') is None\n"
    proved = suite.prove(tests, ODD="caf\udce9")
    assert (proved.code, proved.variables) == (1, ["ODD"])


def test_many_tests_are_screened_together_and_each_culprit_is_still_found(suite: Suite) -> None:
    names = [f"FLAG_{n}" for n in range(8)]
    proved = suite.prove(
        "@pytest.mark.parametrize('n', range(60))\n"
        "def test_a(n):\n"
        "    open('ran', 'a').write('.')\n"
        f"    seen = [os.environ.get(name) for name in {names}]\n"
        "    assert seen[2] != '1'\n"
        "    assert not (n % 2 and seen[5])\n"
        "    assert n != 7 or seen[6] != '0'\n"
    )
    assert proved.document["method"] == "screened together"
    leaks = {leak["variable"]: leak for leak in proved.document["leaks"]}
    assert set(leaks) == {"FLAG_2", "FLAG_5", "FLAG_6"}
    assert leaks["FLAG_6"]["tests"] == ["test_it.py::test_a[7]"]  # none of those that are sampled
    assert len(leaks["FLAG_2"]["tests"]) == 60
    assert {one["value"] for one in leaks["FLAG_2"]["outcomes"]} == {"1"}
    assert len(leaks["FLAG_5"]["tests"]) == 30
    assert {one["value"] for one in leaks["FLAG_5"]["outcomes"]} == {"1", "0", "garbage"}
    assert (suite.root / "ran").stat().st_size < 60 * 8 * 4 * 0.7


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_when_it_is_ended(suite: Suite, number: signal.Signals) -> None:
    suite.write("app.py", "import os\n")
    suite.write(
        "test_it.py",
        "import os, time\n"
        "def test_a():\n"
        "    open('group.part', 'w').write(str(os.getpgid(0)))\n"
        "    os.rename('group.part', 'group')\n"
        "    time.sleep(120)\n",
    )
    verb = subprocess.Popen(
        suite.command(),
        cwd=suite.root,
        env=suite.environ(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    group = suite.root / "group"
    try:
        until = time.monotonic() + 60
        while not group.exists():
            assert time.monotonic() < until
            assert verb.poll() is None
            time.sleep(0.05)
        verb.send_signal(number)
        code = verb.wait(30)
    finally:
        verb.kill()
        verb.wait()
    assert code == (-number if number == signal.SIGKILL else 130)
    until = time.monotonic() + 30
    while alive(int(group.read_text())):
        assert time.monotonic() < until, "the fork server outlives the verb"
        time.sleep(0.05)
    left = list(suite.tmp.iterdir())
    assert len(left) == (1 if number == signal.SIGKILL else 0)
    suite.prove("def test_a():\n    pass\n")  # and this looks that nothing is left now
