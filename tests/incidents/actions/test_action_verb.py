"""``truegreen action`` as it is typed: exits, documents, one clear sentence for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from reviewed_service import CHECK, INCIDENT, Service, action

import truegreen
from truegreen.cli import root as verbs
from truegreen.cli.exits import run

SCHEMAS = Path(truegreen.__file__).parent / "outputs" / "schemas"


def call(service: Service, *arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        run(verbs, ["action", *arguments, "--dir", str(service.root)])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def told(capsys: pytest.CaptureFixture[str], schema: str) -> Any:
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads((SCHEMAS / f"{schema}.json").read_text()))
    return document


def test_from_open_to_closed_to_regressed(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.commit("the proof", **{"check.py": CHECK})
    service.record(action(title="fix it", required="true"))
    assert call(service, "list", "--json") == 0
    (one,) = told(capsys, "action-list")["actions"]
    assert (one["name"], one["state"], one["seen_red"]) == (f"{INCIDENT}/fix", "required", False)
    assert call(service, "check", "fix") == 1
    assert f"FAILS    {INCIDENT}/fix, seen red (exit 1)" in capsys.readouterr().out
    assert call(service, "check", "--all") == 0  # it is open, so nothing regressed
    assert call(service, "close", "fix") == 4
    assert "is not shown to be done" in capsys.readouterr().err
    service.commit("the fix", **{"state.txt": "good\n"})
    assert call(service, "close", "fix") == 0
    assert "red at the incident" in capsys.readouterr().err
    service.commit("closed")
    assert call(service, "check", "--all", "--json") == 0
    document = told(capsys, "action-check")
    assert document["holds"] is True
    assert document["actions"][0]["proven"]["held"] == "holds"
    service.commit("a regression", **{"state.txt": "bad\n"})
    assert call(service, "check", "--all", "--json", "--quiet") == 1
    assert told(capsys, "action-check")["actions"][0]["proven"]["held"] == "red"
    assert call(service, "list") == 0
    assert "reopened" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        (["check"], 2, "name follow-ups, or say --all"),
        (["check", "nothing"], 2, "is no follow-up in a commit"),
        (["check", "fix", "--base", "no-such-revision"], 2, "there is no revision"),
        (["check", "fix", "--commit", "--version"], 2, "there is no commit"),
        (["check", "bare"], 3, ""),
        (["close", "bare"], 4, "has no proof"),
        (["waive", "fix", "--by", "a", "--reason", "b", "--until", "soon"], 2, "is not a day"),
        (["waive", "fix", "--by", "a", "--reason", "b", "--until", "2001-01-01"], 2, "is over"),
        (["reopen", "fix", "--reason", "x"], 2, "is open"),
        (["sync"], 2, "no repository is configured"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    service: Service,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    exit_code: int,
    says: str,
) -> None:
    service.commit("the proof", **{"check.py": CHECK})
    service.record(action() + action("bare", proof=""))
    assert call(service, *arguments) == exit_code
    assert says in capsys.readouterr().err


def test_a_review_that_cannot_be_read_is_an_error_with_its_line(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.record("  - id: a\n  - id: a\n")
    assert call(service, "list") == 2
    assert f"docs/incidents/{INCIDENT}.md at " in capsys.readouterr().err


def test_a_waiver_can_be_typed_and_is_shown(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    from datetime import timedelta

    from truegreen.incidents.actions.desk import today

    service.record(action(required="true"))
    day = str(today() + timedelta(days=2))
    arguments = ["--by", "ada", "--reason", "the edge moves", "--until", day]
    assert call(service, "waive", "fix", *arguments) == 0
    assert call(service, "list", "--json") == 0
    (one,) = json.loads(capsys.readouterr().out)["actions"]
    assert (one["state"], one["waived_until"]) == ("waived", day)
