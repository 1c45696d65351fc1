"""Several gates at once, and the verbs ``gate`` and ``smoke`` around them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from truegreen.cli import root as verbs
from truegreen.cli.exits import run
from truegreen.config import load_config
from truegreen.errors import UsageError
from truegreen.gates import freeze
from truegreen.gates.question import Question
from truegreen.gates.result import GateResult
from truegreen.gates.run import configured, run_gates
from truegreen.gates.schema_at import SchemaAt
from truegreen.model import Status

Repository = Callable[[dict[str, str | bytes]], Path]
FROZEN = (
    "[service]\nname = 'raptor'\n[freeze]\nzone = 'Europe/Berlin'\n[[freeze.window]]\n"
    "name = 'Christmas'\nstart = 2026-12-24T18:00:00\nend = 2026-12-27T06:00:00\n"
)
MAIL = "jo@" + "corp.de"


def call(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        run(verbs, [str(argument) for argument in arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_all_gates_that_are_configured_are_asked_and_open(
    repository: Repository, capfd: pytest.CaptureFixture[str]
) -> None:
    root = repository({"truegreen.toml": FROZEN})
    assert call("gate", "--dir", root, "--at", "2026-12-24T16:50:00Z", "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert told["open"] is True
    assert [gate["name"] for gate in told["gates"]] == ["freeze", "scan", "migrations"]
    assert {gate["status"] for gate in told["gates"]} == {"pass"}
    keys = {"name", "status", "reason", "clears", "findings", "source", "detail", "at"}
    assert all(set(gate) == keys for gate in told["gates"])


def test_a_shut_gate_refuses_with_4_and_its_reason(
    repository: Repository, capfd: pytest.CaptureFixture[str]
) -> None:
    root = repository({"truegreen.toml": FROZEN})
    assert call("gate", "freeze", "--dir", root, "--at", "2026-12-24T18:00:00+01:00") == 4
    printed = capfd.readouterr().out
    assert "shut (fail)" in printed
    assert "'Christmas' holds until 2026-12-27 06:00 Europe/Berlin" in printed
    assert "to open it: wait until 2026-12-27T05:00:00.000Z" in printed


def test_a_gate_that_could_not_find_out_ends_with_3_and_says_so(
    repository: Repository, capfd: pytest.CaptureFixture[str]
) -> None:
    root = repository({"truegreen.toml": FROZEN})
    assert call("gate", "smoke", "--dir", root) == 3
    assert "shut (unknown)" in capfd.readouterr().out


def test_no_output_of_any_kind_shows_what_was_found(
    repository: Repository, capfd: pytest.CaptureFixture[str]
) -> None:
    root = repository({"truegreen.toml": FROZEN, "a.txt": MAIL})
    for options in ([], ["--json"], ["--quiet"]):
        assert call("gate", "scan", "--dir", root, *options) == 4
    printed = capfd.readouterr()
    assert "a.txt:1:1" in printed.out
    assert "corp.de" not in printed.out + printed.err


def test_quiet_prints_nothing(repository: Repository, capfd: pytest.CaptureFixture[str]) -> None:
    assert call("gate", "freeze", "--quiet", "--dir", repository({"a": "x"})) == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["freez"], "'freez' is not a gate (one of freeze, scan, migrations, smoke)"),
        (["freeze", "--at", "tomorrow"], "is not a date and time"),
        (["freeze", "--at", "2026-12-24T18:00:00"], "has no offset"),
        (["freeze", "--env", "nowhere"], "nowhere"),
        (["scan"], "not in a git repository"),
    ],
)
def test_what_cannot_be_asked_ends_with_2(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    (tmp_path / "truegreen.toml").write_text(FROZEN)
    assert call("gate", *arguments, "--dir", tmp_path) == 2
    told = " ".join(capfd.readouterr().err.split())
    assert says.split(" (")[0] in told


def test_the_commit_that_is_asked_about_is_the_one_that_was_named(repository: Repository) -> None:
    root = repository({"a.txt": MAIL})
    before = run_gates(["scan"], Question(load_config(root)))[0].source.removeprefix("git ")
    repository({"a.txt": "clean"})
    config = load_config(root)
    assert run_gates(["scan"], Question(config))[0].open
    assert not run_gates(["scan"], Question(config, commit=before))[0].open


def test_a_gate_that_breaks_is_unknown_and_stays_shut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> GateResult:
        raise RuntimeError("oops")

    monkeypatch.setattr(freeze, "ask", broken)
    (result,) = run_gates(["freeze"], Question(load_config(tmp_path)))
    assert result.status is Status.UNKNOWN
    assert "RuntimeError: oops" in result.reason


def test_each_gate_is_asked_once_in_the_order_of_the_call(tmp_path: Path) -> None:
    config = load_config(tmp_path)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    results = run_gates(["migrations", "freeze", "migrations"], Question(config, now=now))
    assert [result.name for result in results] == ["migrations", "freeze"]
    assert {result.at for result in results} == {now}


def test_an_unknown_name_is_refused_before_any_gate_is_asked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'nope' is not a gate"):
        run_gates(["scan", "nope"], Question(load_config(tmp_path)))


def test_smoke_is_asked_by_default_only_where_there_is_a_suite(tmp_path: Path) -> None:
    assert "smoke" not in configured(load_config(tmp_path))
    (tmp_path / "truegreen.toml").write_text("[smoke]\npaths = ['x']\n")
    assert "smoke" in configured(load_config(tmp_path))


@pytest.mark.parametrize("status", [Status.FAIL, Status.UNKNOWN])
def test_only_a_pass_is_open(status: Status) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert not GateResult("x", status, "", now).open
    assert GateResult("x", Status.PASS, "", now).open


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("def test_it():\n    pass\n", 0),
        ("def test_it():\n    assert 1 == 2\n", 1),
        ("import os\n\ndef test_it():\n    os._exit(0)\n", 3),
    ],
)
def test_the_smoke_verb_ends_as_the_suite_did(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], body: str, code: int
) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_one.py").write_text(body)
    assert call("smoke", "test_one.py", "--dir", tmp_path, "--json") == code
    printed = capfd.readouterr()
    assert json.loads(printed.out)["name"] == "smoke"
    assert "test session starts" in printed.err


def test_the_smoke_verb_without_a_suite_or_with_a_path_that_is_not_there_ends_with_2(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call("smoke", "--dir", tmp_path) == 2
    assert "smoke.paths" in capfd.readouterr().err
    assert call("smoke", "nowhere", "--dir", tmp_path) == 2


def test_raptor_passes_its_own_scan() -> None:
    """The reference service, as it is committed here."""
    raptor = Path(__file__).parents[2] / "examples" / "raptor"
    nothing = SchemaAt((), "nothing was released yet")
    question = Question(load_config(raptor), read_schema=lambda: nothing)
    results = run_gates(["freeze", "scan", "migrations"], question)
    assert {result.name: result.reason for result in results if not result.open} == {}
