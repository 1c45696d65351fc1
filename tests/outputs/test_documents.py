"""The documents and the tables: they hold against their schemas and show what is in them."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

import truegreen
from truegreen.incidents.drills import drills
from truegreen.incidents.drills.shelf import as_json
from truegreen.model import Evidence, ReleaseState, Schema, Situation, Status
from truegreen.outputs.document import verification_document
from truegreen.outputs.table import print_verification

SCHEMAS = Path(truegreen.__file__).parent / "outputs" / "schemas"
NOW = datetime(2026, 6, 21, 19, 36, tzinfo=UTC)


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))


def situation(status: Status) -> Situation:
    release = ReleaseState(4, "succeeded", True, "a" * 40)
    return Situation(
        app="an-app",
        commit="a" * 40,
        release=release,
        serving=release,
        served_commit=None,
        schema=Schema("0046", ("0046",), "at head"),
        failed_phase=None,
        phase_reason="",
        smoke=None,
        evidence=(
            Evidence("release.command", status, "[seen]", "[wanted]", "release v4", NOW),
            Evidence("code.slug", Status.FAIL, "other", "this", "slug", NOW),
        ),
        required=("release.command",),
    )


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.stem)
def test_every_schema_is_one(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("status", list(Status))
def test_a_verification_fits_its_schema_and_its_table_shows_it(status: Status) -> None:
    document = verification_document(situation(status), timings={"total": 1.5})
    jsonschema.validate(document, schema("verification"))
    assert json.loads(json.dumps(document)) == document
    by_name = {check["name"]: check["required"] for check in document["checks"]}
    assert by_name == {"release.command": True, "code.slug": False}
    console = Console(file=io.StringIO(), width=120, markup=False, highlight=False)
    print_verification(document, console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    for text in (document["verdict"].upper(), "[seen]", "code.slug (optional)", "other"):
        assert text in shown


def test_a_situation_in_which_nothing_is_known_fits_too() -> None:
    nothing = Situation(
        app="an-app", commit=None, release=None, serving=None, served_commit=None, schema=None,
        failed_phase=None, phase_reason="", smoke=None, evidence=(), required=("release.command",),
    )  # fmt: skip
    document = verification_document(nothing, timings={})
    jsonschema.validate(document, schema("verification"))
    assert document["verdict"] == "unverified"


def test_the_list_of_drills_fits_its_schema() -> None:
    jsonschema.validate([as_json(drill) for drill in drills(None).values()], schema("drill-list"))
