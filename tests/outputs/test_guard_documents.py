"""What the verbs of `guard` and `smoke` print with --json fits the published schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import truegreen
from truegreen.cli.guard import command as guard

SCHEMAS = Path(truegreen.__file__).parent / "outputs" / "schemas"
APP = """
def guarded(environ, start_response):
    start_response("403 Forbidden", [("Content-Type", "text/plain")])
    return [b"no"]
"""


def printed(capsys: pytest.CaptureFixture[str], *args: str) -> Any:
    guard.main(list(args), standalone_mode=False)
    return json.loads(capsys.readouterr().out)


def fits(document: Any, name: str) -> None:
    jsonschema.validate(document, json.loads((SCHEMAS / f"{name}.json").read_text()))


def test_the_age_of_the_shipped_list_and_of_one_without_a_date(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fits(printed(capsys, "ranges", "--check", "--json"), "guard-ranges")
    undated = tmp_path / "own.json"
    undated.write_text('{"networks": ["192.0.2.0/24"]}')
    document = printed(capsys, "ranges", "--check", "--json", str(undated))
    assert document["age_days"] is None
    fits(document, "guard-ranges")


def test_a_selftest_whose_attacks_come_through_or_cannot_be_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "app_of_guard_documents.py").write_text(APP)
    document = printed(
        capsys, "selftest", "app_of_guard_documents:guarded", "--dir", str(tmp_path), "--json"
    )
    assert document["attacks"] > 0
    fits(document, "guard-selftest")


@pytest.mark.parametrize("name", ["hermetic-prove", "smoke", "rehearsal", "guard-selftest"])
def test_an_unknown_key_does_not_fit(name: str) -> None:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    assert schema["additionalProperties"] is False
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({}, schema)
