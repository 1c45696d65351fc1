"""What ``truegreen scan`` prints: its document, SARIF, annotations; and the verb around them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sarif_judge import fits_sarif

import truegreen
from truegreen.cli import root as verbs
from truegreen.cli.exits import run
from truegreen.config import load_config
from truegreen.gates.scan.report import as_document
from truegreen.gates.scan.survey import Surveyor
from truegreen.outputs.scan_text import annotate, lines, sarif

Repository = Callable[[dict[str, str | bytes]], Path]
NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)
MAIL = "jo@" + "corp.de"
SCHEMA = Path(truegreen.__file__).parent / "outputs" / "schemas" / "scan.json"
UNTIL = ("--reason", "an imprint", "--owner", "jo", "--until", "2099-01-31")


def call(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        run(verbs, ["scan", *(str(argument) for argument in arguments)])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def document(repository: Repository) -> dict[str, Any]:
    root = repository(
        {
            "a b/ü,1.txt": f"x\nü {MAIL}",
            "bad.gz": b"\x1f\x8bno",
            "image.png": b"\x89PNG\0",
            "out/x.txt": "x",
            "truegreen.toml": "[service]\nname = 'raptor'\n[scan]\nexclude = ['out']\n",
        }
    )
    return as_document(Surveyor(load_config(root), date(2026, 6, 21)).tree(), NOW)


def test_the_document_fits_its_schema_and_shows_no_value(document: dict[str, Any]) -> None:
    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    states = {one["path"]: one["state"] for one in document["findings"]}
    assert states == {
        "a b/ü,1.txt": "found",
        "bad.gz": "unreadable",
        "image.png": "not-scanned",
        "out/x.txt": "excluded",
    }
    assert MAIL not in json.dumps(document)
    assert MAIL not in "\n".join(lines(document))


def test_sarif_puts_a_finding_at_its_place(document: dict[str, Any]) -> None:
    log = sarif(document, version="1.0")
    fits_sarif(log)
    found, unread = log["runs"][0]["results"]
    assert (found["ruleId"], found["level"]) == ("email", "error")
    place = found["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/%C3%BC%2C1.txt"
    assert place["region"] == {"startLine": 2, "startColumn": 3}
    assert (unread["ruleId"], unread["level"]) == ("unreadable", "error")
    assert "bad.gz" in unread["message"]["text"]
    assert MAIL not in json.dumps(log)


def test_sarif_of_a_suppressed_finding_carries_the_suppression(document: dict[str, Any]) -> None:
    one = next(one for one in document["findings"] if one["state"] == "found")
    one.update(state="suppressed", blocks=False, fingerprint="ab" * 12, path="a.zip!b.txt")
    log = sarif(document, version="1.0")
    fits_sarif(log)
    result = log["runs"][0]["results"][0]
    assert result["level"] == "note"
    assert result["suppressions"] == [{"kind": "external", "justification": one["text"]}]
    assert list(result["partialFingerprints"].values()) == ["ab" * 12]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a.zip"
    assert place["region"] == {"startLine": 1}  # the line is the member's


def test_annotations_stand_at_the_line(document: dict[str, Any]) -> None:
    first, second = annotate(document)
    assert first == "::error file=a b/ü%2C1.txt,line=2,title=scan%3A email::j…@….de"
    assert second.startswith("::error file=bad.gz,line=1,title=scan%3A unreadable::damaged")


def test_a_terminal_shows_fifty_and_says_how_many_more(document: dict[str, Any]) -> None:
    document["findings"] = [document["findings"][0]] * 60
    shown = list(lines(document))
    assert "and 10 more: --json lists all" in shown
    assert len(shown) == 53


def test_the_verb_ends_with_what_it_found(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    root = repository({"a.txt": "x"})
    assert call(root) == 0
    assert "pass: nothing found in 1 files" in capsys.readouterr().out
    (root / "log.txt").write_text(f"{MAIL}\n")
    assert call(root, "--path", root / "log.txt", "--annotate", "--quiet") == 1
    assert capsys.readouterr().out.startswith("::error file=")
    (root / "bad.gz").write_bytes(b"\x1f\x8bno")
    assert call(root, "--path", root / "bad.gz", "--json") == 3
    assert json.loads(capsys.readouterr().out)["status"] == "unknown"
    assert call(root, "--path", root / "none") == 2
    assert call(root, "--history", "--since", "HEAD") == 2
    assert "take one" in capsys.readouterr().err


def test_a_finding_is_taken_on_by_its_place_and_the_rest_by_a_baseline(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    root = repository({"a.txt": MAIL, "b.txt": "jane@" + "corp.de"})
    assert call(root, "--suppress", "c.txt:1:1", *UNTIL) == 2
    assert not (root / "scan-suppressions.toml").exists()
    assert call(root, "--suppress", "a.txt:1:1", *UNTIL) == 0
    capsys.readouterr()
    assert call(root, "--json") == 1
    states = {one["path"]: one["state"] for one in json.loads(capsys.readouterr().out)["findings"]}
    assert states == {"a.txt": "suppressed", "b.txt": "found"}
    assert call(root, "--baseline", "--until", "2099-01-31") == 2
    assert "a reason and an owner" in capsys.readouterr().err
    assert call(root, "--baseline", *UNTIL) == 0
    assert call(root) == 0
    assert MAIL not in (root / "scan-suppressions.toml").read_text()


@pytest.mark.parametrize("until", [(), ("--until", "soon")])
def test_a_suppression_without_a_day_is_refused(
    repository: Repository, until: tuple[str, ...]
) -> None:
    root = repository({"a.txt": MAIL})
    assert call(root, "--baseline", "--reason", "r", "--owner", "o", *until) == 2


def test_sarif_is_written_beside_what_is_printed(repository: Repository, tmp_path: Path) -> None:
    root = repository({"a.txt": MAIL})
    assert call(root, "--sarif", tmp_path / "scan.sarif", "--quiet") == 1
    log = json.loads((tmp_path / "scan.sarif").read_text())
    assert len(log["runs"][0]["results"]) == 1
    assert call(root, "--sarif", tmp_path / "none" / "scan.sarif", "--quiet") == 2


def test_a_broken_file_is_one_error_with_its_place(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    root = repository({"a.txt": "x"})
    (root / "scan-suppressions.toml").write_text(f'key = "{"0f" * 32}"\n[[suppress]]\nreason="r"\n')
    assert call(root) == 2
    assert "scan-suppressions.toml:2: suppress[0].fingerprint: is missing" in (
        capsys.readouterr().err
    )
    (root / "scan-suppressions.toml").unlink()
    (root / "truegreen.toml").write_text("[scan]\nrules = ['own.toml']\n")
    (root / "own.toml").write_text("[[rule]]\nid = 'own'\nanchor = 'x'\n")
    assert call(root) == 2
    assert "own.toml:1: rule[0].anchor: is not a known key" in capsys.readouterr().err


def test_since_serving_without_a_platform_is_unverified(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRUEGREEN_PLATFORM_DATA", str(tmp_path / "platform"))
    root = repository({"a.txt": "x"})
    assert call(root, "--since", "serving") == 3
    subprocess.run(["git", "-C", str(root), "tag", "base"], check=True)
    assert call(root, "--since", "base") == 0  # nothing changed
