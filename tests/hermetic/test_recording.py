"""Who read what, when and where: every kind of reader, every moment of a session."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from truegreen.hermetic.result import SessionResult

Suite = Callable[..., SessionResult]
MOMENTS = """
import os
import pytest

@pytest.fixture(scope="session")
def shared():
    return os.environ.get("SHARED")

@pytest.fixture
def own():
    return os.environ.get("OWN")

def cases():
    return [os.environ.get("CASES", "a"), "b"]

def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", cases())

def test_a(shared, own):
    pass

def test_b(shared):
    os.environ.get("TEST")

def test_c(case):
    os.environ.get("CASE_" + case)

def test_d():
    import lazy
"""


def moments(result: SessionResult) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    return {
        one.variable: (one.phase, one.during, tuple(test.split("::", 1)[1] for test in one.tests))
        for one in result.leaks
    }


def test_each_read_is_told_with_its_moment_and_the_tests_that_depend_on_it(suite: Suite) -> None:
    result = suite(
        test_it=MOMENTS,
        lazy="import os\nos.environ.get('LAZY')\n",
        conftest="import os\nimport deep\n",
        deep="import os\ndef read():\n    return os.environ.get('DEEP')\nread()\n",
    )
    assert moments(result) == {
        "SHARED": ("fixture", "shared", ("test_a", "test_b")),
        "OWN": ("fixture", "own", ("test_a",)),
        "CASES": ("collection", "", ()),
        "TEST": ("test", "", ("test_b",)),
        "CASE_a": ("test", "", ("test_c[a]",)),
        "CASE_b": ("test", "", ("test_c[b]",)),
        "LAZY": ("import", "lazy", ("test_d",)),
        "DEEP": ("import", "deep", ()),
    }


KINDS = """
import asyncio, os, unittest
import pytest
pytest_plugins = "pytester"

class TestCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.environ.get("CLASS")
    def setUp(self):
        os.environ.get("METHOD")
    def test_one(self):
        pass
    def test_two(self):
        pass

def test_async():
    async def read():
        return os.environ.get("ASYNC")
    asyncio.run(read())

@pytest.mark.anyio
async def test_coroutine():
    os.environ.get("COROUTINE")

def test_inner(pytester):
    pytester.makepyfile("import os\\ndef test_x(): os.environ.get('INNER')")
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
    os.environ.get("OUTER")
"""


def test_every_kind_of_test_is_named(suite: Suite) -> None:
    result = suite(
        test_it=KINDS,
        conftest="import pytest\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n",
    )
    assert (result.failed, result.errors) == (0, 0), result.failures
    found = {variable: tests for variable, (_, _, tests) in moments(result).items()}
    both = ("TestCase::test_one", "TestCase::test_two")
    assert found == {
        "CLASS": both,
        "METHOD": both,
        "ASYNC": ("test_async",),
        "COROUTINE": ("test_coroutine",),
        "OUTER": ("test_inner",),
    }


def test_the_tests_of_parallel_workers_are_put_together(suite: Suite) -> None:
    test = "import os, pytest\n@pytest.mark.parametrize('n', range(8))\ndef test_a(n):\n"
    result = suite("-n", "2", test_it=test + "    os.environ.get('X')\n")
    (leak,) = result.leaks
    assert (leak.count, leak.test_count) == (8, 8)
    assert set(leak.tests) == {f"test_it.py::test_a[{n}]" for n in range(8)}


def test_bytes_are_read_and_pinned_like_text(suite: Suite) -> None:
    test = (
        "import os\n"
        "def test_a():\n"
        "    os.environb.get(b'X'), os.getenvb(b'X')\n"
        "    os.environb[b'Y'] = b'1'\n"
        "    os.environ['Y']\n"
    )
    result = suite(test_it=test)
    assert [(one.variable, one.line, one.count) for one in result.leaks] == [("X", 3, 2)]


def settled(result: SessionResult) -> list[tuple[str, str]]:
    return [(one.variable, one.state) for one in result.reads if one.state != "open"]


def test_pinned_and_let_through_reads_are_recorded_as_such(suite: Suite) -> None:
    test = "import os\ndef test_a():\n    [os.environ.get(x) for x in ('P', 'L', 'PATH')]\n"
    result = suite(test_it=test, smoke='pass_env = ["L"]\nenv.P = "1"')
    assert settled(result) == [("L", "passed"), ("P", "pinned"), ("PATH", "passed")]
    assert result.leaks == ()


def test_a_read_of_everything_is_recorded_and_no_leak(suite: Suite) -> None:
    result = suite(test_it="import os\ndef test_a():\n    dict(os.environ)\n")
    wholes = [one for one in result.reads if one.bulk]
    assert [(one.variable, one.file, one.line) for one in wholes] == [("*", "test_it.py", 3)]
    assert result.leaks == ()


FLASK = """
from flask import Flask
def test_a():
    app = Flask("x")
    app.config.from_prefixed_env("RAPTOR")
    app.config.from_envvar("SETTINGS", silent=True)
"""


def test_flasks_prefix_is_a_leak_of_all_that_begins_so(suite: Suite) -> None:
    result = suite(test_it=FLASK)
    assert [(one.variable, one.line, one.bulk) for one in result.leaks] == [
        ("RAPTOR_*", 5, True),
        ("SETTINGS", 6, False),
    ]
    for way in ('pass_env = ["RAPTOR_*", "SETTINGS"]', 'env.RAPTOR_X = "1"\nenv.SETTINGS = ""'):
        assert suite(test_it=FLASK, smoke=way).leaks == ()


def test_without_the_seal_flasks_prefix_names_each_variable(suite: Suite) -> None:
    result = suite(test_it=FLASK, smoke="seal = false", machine={"RAPTOR_A": "1", "OTHER": "2"})
    assert {one.variable for one in result.leaks} == {"RAPTOR_*", "RAPTOR_A", "SETTINGS"}


def test_djangos_settings_module_is_the_users_line(suite: Suite) -> None:
    result = suite(
        conf="import os\nSECRET_KEY = 'x'\nDEBUG = os.environ.get('DEBUG') == '1'\n",
        test_it=(
            "import os\n"
            "def test_a(monkeypatch):\n"
            "    monkeypatch.setenv('DJANGO_SETTINGS_MODULE', 'conf')\n"
            "    from django.conf import settings\n"
            "    assert settings.DEBUG is False\n"
        ),
    )
    assert moments(result) == {"DEBUG": ("import", "conf", ("test_a",))}
    assert (result.leaks[0].file, result.leaks[0].line) == ("conf.py", 3)


LIBRARIES = {
    "environs": "from environs import Env\ndef read():\n    Env().bool('X_ENVIRONS', False)\n",
    "decouple": "from decouple import config\ndef read():\n    config('X_DECOUPLE', default='')\n",
    "dotenv": (
        "import pathlib\nfrom dotenv import load_dotenv\ndef read():\n"
        "    pathlib.Path('.env').write_text('X_DOTENV=1')\n    load_dotenv('.env')\n"
    ),
    "pydantic": (
        "from pydantic_settings import BaseSettings\nclass Settings(BaseSettings):\n"
        "    x_pydantic: str = ''\n    y: int = 1\ndef read():\n    Settings()\n"
    ),
}


def test_what_a_settings_library_reads_is_its_callers_read(suite: Suite) -> None:
    apps = {f"app_{name}": text for name, text in LIBRARIES.items()}
    tests = [f"def test_{app}():\n    import {app}\n    {app}.read()\n" for app in apps]
    result = suite(test_it="".join(tests), **apps)
    assert (result.passed, result.failures) == (4, ())
    found = {(one.variable, one.file, one.line) for one in result.leaks}
    wanted = {
        (f"X_{name.upper()}", f"app_{name}.py", text.count("\n"))
        for name, text in LIBRARIES.items()
    }
    assert found == wanted | {("Y", "app_pydantic.py", 6)}


def test_a_hundred_thousand_reads_are_kept_in_little_memory(suite: Suite) -> None:
    result = suite(
        "--durations=0",
        test_it=(
            "import os, resource\n"
            "def test_a():\n"
            "    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "    for n in range(100_000):\n"
            "        os.environ.get(f'X{n}')\n"
            "    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "    assert after - before < 40_000, (before, after)\n"
        ),
    )
    assert result.passed == 1, result.failures
    assert any("90000 reads were not kept" in one for one in result.unseen), result.unseen


def test_recorded_reads_name_their_library(suite: Suite) -> None:
    result = suite(test_it="from flask import Flask\ndef test_a():\n    Flask('x').run\n")
    assert result.leaks == ()
    assert ("FLASK_DEBUG", "flask") in {(one.variable, one.via) for one in result.reads}


def test_what_a_plugin_reads_around_a_test_is_that_tests_read(suite: Suite) -> None:
    result = suite(
        conftest=(
            "import os, pytest\n"
            "@pytest.hookimpl(wrapper=True)\n"
            "def pytest_runtest_protocol(item):\n"
            "    os.environ.get('BEFORE')\n"
            "    found = yield\n"
            "    os.environ.get('AFTER')\n"
            "    return found\n"
        ),
        test_it="def test_a():\n    pass\n",
    )
    around = ("test", "", ("test_a",))
    assert moments(result) == {"BEFORE": around, "AFTER": around}


def test_a_sealed_session_imports_little_that_a_plain_one_does_not(
    suite: Suite, run_pytest: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """What it costs is mostly that; benchmarks/hermetic.py has the time."""
    test = (
        "import os, sys\n"
        "def test_a():\n"
        "    os.environ.get('X')\n"
        "    open(os.environ['OUT'], 'w').write(' '.join(sys.modules))\n"
    )
    out = tmp_path / "modules"
    suite(test_it=test, smoke=f'env.OUT = "{out}"\nleaks = "record"')
    sealed = set(out.read_text().split())
    run_pytest(machine={"OUT": str(out)})
    more = sealed - set(out.read_text().split())
    foreign = {name for name in more if not name.startswith(("truegreen", "tomllib"))}
    assert (foreign, len(more) < 30) == (set(), True), sorted(more)
    assert "truegreen.config.load" not in more
