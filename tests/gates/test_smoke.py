"""The smoke gate: the sealed suite of a real folder, and what its result means."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from truegreen.config import load_config
from truegreen.gates.question import Question
from truegreen.gates.rehearsed import Rehearsed
from truegreen.gates.result import GateResult
from truegreen.gates.smoke import ask as ask_gate
from truegreen.gates.smoke import decide, sealed_suite, with_rehearsal
from truegreen.model import Status
from truegreen.release.report import Phase

NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)
READS = "import os\n\ndef test_it():\n    assert os.environ.get('FLAG_ENFORCE_CF_ORIGIN') != '1'\n"


def ask(
    root: Path, body: str, pins: str = "", capture: Path | None = None, **environ: str
) -> GateResult:
    (root / "truegreen.toml").write_text(f"[smoke]\npaths = ['checks']\ntimeout = 60\n{pins}")
    # a root of its own: no other project's pytest configuration reaches in
    (root / "pytest.ini").write_text("[pytest]\n")
    (root / "checks").mkdir(exist_ok=True)
    (root / "checks" / "test_one.py").write_text(body)
    around = {**os.environ, **environ}
    with (capture or root / "output.txt").open("wb") as output:
        return sealed_suite(load_config(root), NOW, environ=around, output=output.fileno())


def test_a_suite_that_passes_opens_the_gate_and_the_source_is_named(tmp_path: Path) -> None:
    result = ask(tmp_path, "def test_it():\n    assert 1 < 2\n")
    assert (result.status, result.reason) == (Status.PASS, "1 of 1 passed, sealed")
    assert result.source == f"working folder {tmp_path}"


def test_a_failing_test_shuts_it_and_is_named(tmp_path: Path) -> None:
    result = ask(tmp_path, "def test_it():\n    assert 403 == 404\n")
    assert result.status is Status.FAIL
    (finding,) = result.findings
    assert finding.where.endswith("test_one.py::test_it")
    assert "403 == 404" in finding.text


def test_a_read_that_is_not_pinned_shuts_it_with_the_line(tmp_path: Path) -> None:
    result = ask(tmp_path, READS, FLAG_ENFORCE_CF_ORIGIN="1")
    assert result.status is Status.FAIL
    (finding,) = result.findings
    assert (finding.kind, finding.where) == ("leak", "checks/test_one.py:4")
    assert "FLAG_ENFORCE_CF_ORIGIN" in finding.text


def test_what_this_machine_has_set_does_not_reach_a_pinned_suite(tmp_path: Path) -> None:
    pins = "[smoke.env]\nFLAG_ENFORCE_CF_ORIGIN = '0'\n"
    assert ask(tmp_path, READS, pins, FLAG_ENFORCE_CF_ORIGIN="1").status is Status.PASS


def test_no_tests_never_open_it(tmp_path: Path) -> None:
    assert not ask(tmp_path, "").open


def test_a_suite_that_is_configured_nowhere_is_unknown(tmp_path: Path) -> None:
    result = sealed_suite(load_config(tmp_path), NOW, environ={})
    assert result.status is Status.UNKNOWN
    assert "no smoke suite is configured" in result.reason


def test_a_requirement_that_is_not_installed_here_is_unknown_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("no-such-package-of-the-service\n")
    result = ask(tmp_path, "def test_it():\n    pass\n")
    assert result.status is Status.UNKNOWN
    assert "no-such-package-of-the-service not installed" in result.reason
    assert "service's own environment" in result.clears


def test_a_suite_that_dies_without_a_result_is_unknown(tmp_path: Path) -> None:
    result = ask(tmp_path, "import os\n\ndef test_it():\n    os._exit(0)\n")
    assert result.status is Status.UNKNOWN


def test_pytests_output_goes_where_it_was_sent_and_nowhere_else(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "sent-here.txt"
    ask(tmp_path, "def test_it():\n    pass\n", capture=output)
    assert "1 passed" in output.read_text()
    assert capfd.readouterr().out == ""


def test_a_pass_without_a_single_passed_test_is_not_believed() -> None:
    assert not decide(Phase("smoke", "pass", 1.0, total=0, passed=0), NOW, source="x").open
    assert not decide(Phase("smoke", "pass", 1.0), NOW, source="x").open


def test_the_gate_runs_the_candidates_tree_and_not_the_working_folder(
    repository: Callable[[dict[str, str | bytes]], Path], tmp_path: Path
) -> None:
    passing = (
        "from pathlib import Path\n\n\ndef test_it():\n    assert Path('truegreen.toml').exists()\n"
    )
    root = repository(
        {
            "truegreen.toml": "[smoke]\npaths = ['checks']\ntimeout = 60\n",
            "pytest.ini": "[pytest]\n",
            "checks/test_one.py": passing,
        }
    )
    (root / "checks/test_one.py").write_text("def test_it():\n    assert 1 == 2\n")
    with (tmp_path / "output.txt").open("wb") as output:
        question = Question(
            load_config(root),
            now=NOW,
            output=output.fileno(),
            read_rehearsal=lambda serving: Rehearsed(None, why=serving.why),
        )
        result = ask_gate(question)
    assert result.status is Status.PASS
    assert result.source.startswith("git ")
    assert result.reason == (
        "1 of 1 passed, sealed; not rehearsed: the platform was not asked what serves"
    )
    assert result.detail["rehearsal"]["verdict"] is None
    assert (result.detail["passed"], result.detail["sealed"]) == (1, True)


GREEN = Rehearsed("green", "it would be green")
RED = Rehearsed("red", "v5 would be red: smoke 14 of 14 failed")
UNVERIFIED = Rehearsed("unverified", "it could not be rehearsed to the end")
NONE = Rehearsed(None, why="there is no API token")


@pytest.mark.parametrize(
    ("suite", "mode", "rehearsed", "status", "blocks"),
    [
        (Status.PASS, "auto", GREEN, Status.PASS, []),
        (Status.PASS, "auto", RED, Status.FAIL, [True]),
        (Status.PASS, "auto", UNVERIFIED, Status.PASS, [False]),
        (Status.PASS, "auto", NONE, Status.PASS, [False]),
        (Status.PASS, "required", GREEN, Status.PASS, []),
        (Status.PASS, "required", RED, Status.FAIL, [True]),
        (Status.PASS, "required", UNVERIFIED, Status.UNKNOWN, [True]),
        (Status.PASS, "required", NONE, Status.UNKNOWN, [True]),
        (Status.PASS, "off", RED, Status.PASS, []),
        (Status.FAIL, "required", NONE, Status.FAIL, [True]),
        (Status.UNKNOWN, "auto", GREEN, Status.UNKNOWN, []),
        (Status.UNKNOWN, "auto", RED, Status.FAIL, [True]),
    ],
)
def test_a_rehearsal_that_was_not_made_is_said_and_never_a_pass(
    suite: Status, mode: str, rehearsed: Rehearsed, status: Status, blocks: list[bool]
) -> None:
    result = with_rehearsal(GateResult("smoke", suite, "14 of 14", NOW), mode, rehearsed)
    assert result.status is status
    assert [finding.blocks for finding in result.findings] == blocks
    if mode != "off":
        assert rehearsed.why in result.reason
        assert rehearsed.sentence in result.reason
        assert result.detail["rehearsal"] == rehearsed.as_json()
