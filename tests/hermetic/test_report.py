"""``truegreen hermetic report``: each leak with the line that settles it, and honest exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

import truegreen

SCHEMA = Path(truegreen.__file__).parent / "outputs" / "schemas" / "hermetic-report.json"
CONFIG = """
[smoke]
paths = ["test_it.py"]
leaks = "{policy}"
[flags.FLAG_ON]
type = "bool"
default = true
"""
LEAKS = "import os\ndef test_a():\n    os.environ.get('FLAG_ON')\n    dict(os.environ)\n"


def report(
    root: Path, tests: str, *args: str, policy: str = "fail"
) -> subprocess.CompletedProcess[str]:
    (root / "truegreen.toml").write_text(CONFIG.format(policy=policy))
    (root / "test_it.py").write_text(tests)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("TRUEGREEN", "PYTEST"))}
    return subprocess.run(
        [sys.executable, "-m", "truegreen", "hermetic", "report", *args],
        cwd=root, env=env, capture_output=True, text=True, timeout=150,
    )  # fmt: skip


def test_the_document_names_each_leak_with_the_line_to_add(tmp_path: Path) -> None:
    done = report(tmp_path, LEAKS, "--json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    jsonschema.validate(told, json.loads(SCHEMA.read_text()))
    (leak,) = told["leaks"]
    assert leak["pin"] == '[smoke.env] FLAG_ON = "1"'
    assert (leak["variable"], leak["file"], leak["line"]) == ("FLAG_ON", "test_it.py", 3)
    assert leak["tests"] == ["test_it.py::test_a"]
    assert [one["line"] for one in told["bulk_reads"]] == [4]


def test_the_line_to_add_settles_it(tmp_path: Path) -> None:
    said = report(tmp_path, LEAKS)
    assert said.returncode == 1
    assert 'add [smoke.env] FLAG_ON = "1"' in said.stdout
    pinned = report(tmp_path, LEAKS, policy='fail"\nenv.FLAG_ON = "1')
    assert (pinned.returncode, pinned.stdout.splitlines()[-1]) == (0, "hermetic: no leaks")


@pytest.mark.parametrize("policy", ["warn", "record"])
def test_the_policy_decides_about_the_exit(tmp_path: Path, policy: str) -> None:
    done = report(tmp_path, LEAKS, policy=policy)
    assert done.returncode == 0
    assert "FLAG_ON read at test_it.py:3" in done.stdout


@pytest.mark.parametrize(
    ("tests", "why"), [("", "no tests"), ("def test_a():\n    assert False\n", "come to their end")]
)
def test_what_could_not_be_recorded_is_unverified(tmp_path: Path, tests: str, why: str) -> None:
    done = report(tmp_path, tests)
    assert done.returncode == 3
    assert why in done.stdout


def test_no_suite_and_no_such_path_are_usage_errors(tmp_path: Path) -> None:
    assert report(tmp_path, LEAKS, "nowhere.py").returncode == 2
