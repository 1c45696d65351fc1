"""The smoke gate: the sealed suite of a real folder, and what its result means."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from truegreen.config import load_config
from truegreen.gates.result import GateResult
from truegreen.gates.smoke import decide, sealed_suite
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
