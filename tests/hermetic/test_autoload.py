"""Where truegreen is installed, pytest loads a part of it that acts only when asked."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from truegreen.hermetic.result import SessionResult

Suite = Callable[..., SessionResult]
Pytest = Callable[..., subprocess.CompletedProcess[str]]
TEST = """
import os
import pytest

@pytest.mark.smoke
def test_a():
    assert os.environ.get("MACHINE") is None
"""


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """A folder for the path in which a distribution has the entry point."""
    folder = tmp_path / "site-packages"
    about = folder / "probe-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: probe\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[pytest11]\ntruegreen = truegreen.hermetic.autoload\n")
    (tmp_path / "test_it.py").write_text(TEST)
    (tmp_path / "conftest.py").write_text("import os\nX = os.environ.get('IN_CONFTEST')\n")
    return str(folder)


MARKER = "markers = smoke: sealed\n"


@pytest.mark.parametrize(
    ("ini", "args", "acts"),
    [
        ("", [], False),
        ("truegreen = false\n", [], False),
        ("truegreen = true\n", [], True),
        ("", ["-m", "smoke"], True),
        ("", ["-m", "not other"], False),
        ("", ["-p", "truegreen"], True),
        ("", ["-p", "truegreen.hermetic.plugin"], True),
        ("truegreen = true\n", ["-p", "truegreen.hermetic.plugin"], True),
    ],
)
def test_it_acts_when_the_suite_asks_and_before_any_conftest(
    run_pytest: Pytest, installed: str, tmp_path: Path, ini: str, args: list[str], acts: bool
) -> None:
    (tmp_path / "pytest.ini").write_text(f"[pytest]\n{MARKER}{ini}")
    done = run_pytest(*args, machine={"MACHINE": "1"}, path=installed)
    said = done.stdout + done.stderr
    if acts:
        assert "1 passed" in said
        assert "IN_CONFTEST read at conftest.py:2" in said, said
        assert "before the seal" not in said
    else:
        assert "1 failed" in said
        assert "leak" not in said


def test_the_suites_assertions_are_rewritten_and_our_modules_are_not(suite: Suite) -> None:
    result = suite(
        conftest="def check():\n    assert 1 + 1 == 3\n",
        test_it=(
            "import sys\nimport conftest\nfrom truegreen.hermetic import reads\n"
            "def test_ours():\n"
            "    assert 'pytest' not in str(reads.__cached__ or reads.__spec__.loader)\n"
            "def test_theirs():\n    conftest.check()\n"
            "def test_hook():\n"
            "    kinds = [type(x).__name__ for x in sys.meta_path]\n"
            "    assert kinds.count('AssertionRewritingHook') == 1\n"
        ),
    )
    assert [one.test for one in result.failures] == ["test_it.py::test_theirs"]
    assert result.failures[0].message == "assert (1 + 1) == 3"
