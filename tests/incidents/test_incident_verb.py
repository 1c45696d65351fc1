"""``truegreen incident draft`` from a real ledger: what is printed, written, refused."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import truegreen
from truegreen.cli import root as verbs
from truegreen.cli.exits import run
from truegreen.ledger import Ledger

SCHEMAS = Path(truegreen.__file__).parent / "outputs" / "schemas"
RED = {"verdict": "red", "sentence": "It failed.", "app": "a", "checks": [], "diagnosis": []}


def service(folder: Path, *verdicts: str) -> Path:
    with Ledger.open(folder / ".truegreen" / "ledger.sqlite3") as ledger:
        for number, verdict in enumerate(verdicts):
            body = {**RED, "verdict": verdict, "sentence": f"Run {number}."}
            ledger.append("ship", app="a", commit="c", verdict=verdict, body=body)
    return folder


def call(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        run(verbs, ["incident", "draft", *map(str, arguments)])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_the_last_red_run_is_drafted_to_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = service(tmp_path, "red", "red", "green", "unverified")
    assert call(root) == 0
    printed = capsys.readouterr().out
    assert "Run 0." in printed  # the first red run since the last green one begins the episode
    assert "record 1 (ship, " in printed
    assert "ship is red: Run 1." in printed


def test_out_writes_the_file_and_only_force_replaces_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out = service(tmp_path, "red"), tmp_path / "review.md"
    out.write_text("a person's work")
    assert call(root, "--out", out) == 2
    assert out.read_text() == "a person's work"
    assert "--force" in capsys.readouterr().err
    assert call(root, "--out", out, "--force") == 0
    assert "Run 0." in out.read_text()
    assert capsys.readouterr().out == ""


def test_json_is_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(service(tmp_path, "red"), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["record"] == 1
    assert told["markdown"].startswith(f"---\nid: {told['id']}\n")
    jsonschema.validate(told, json.loads((SCHEMAS / "incident-draft.json").read_text()))


def test_no_ledger_or_no_red_run_is_nothing_to_draft(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(tmp_path) == 2
    assert "there is no ledger" in capsys.readouterr().err
    assert not (tmp_path / ".truegreen").exists()
    assert call(service(tmp_path, "green")) == 2
    assert "no red run" in capsys.readouterr().err


def test_a_folder_that_is_not_there_for_out_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(service(tmp_path, "red"), "--out", tmp_path / "no" / "review.md") == 2
    assert "cannot be written" in capsys.readouterr().err
