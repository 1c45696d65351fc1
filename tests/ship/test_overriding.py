"""Overrides and the wave through a whole ship: refused, overridden, and shown ever after."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tiny_service import Tiny

import truegreen
from truegreen.ledger import Ledger

SCHEMAS = Path(truegreen.__file__).parent / "outputs" / "schemas"


def check(document: Any, name: str) -> Any:
    jsonschema.validate(document, json.loads((SCHEMAS / f"{name}.json").read_text("utf-8")))
    return document


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Tiny]:
    service = Tiny(tmp_path)
    yield service
    service.stop()


@pytest.mark.platform
def test_a_frozen_release_goes_out_only_overridden_and_says_so_ever_after(tiny: Tiny) -> None:
    first = check(tiny.run("ship", "--json").document, "verification")
    assert (first["wave"]["relation"], first["overrides"]) == ("first", [])
    assert {one["name"]: one["status"] for one in first["gates"]}["freeze"] == "pass"
    now = datetime.now(UTC)
    freeze = (
        f"[[window]]\nname = 'now'\nstart = {now.date() - timedelta(days=1)}\n"
        f"end = {now.date() + timedelta(days=3)}\nreason = 'a test'\n"
    )
    (tiny.root / "freeze.toml").write_text(freeze)
    assert tiny.run("freeze", "lock").code == 0
    tiny.git("add", "--all")
    tiny.git("commit", "--quiet", "--message", "Close the shop (#7)")
    commit = tiny.git("rev-parse", "HEAD")

    refused = tiny.run("ship", "--json")
    assert (refused.code, refused.out) == (4, "")
    assert "gate freeze: the freeze 'now' (a test) holds until" in refused.err
    assert "#7 Close the shop" in refused.err
    assert "truegreen ship --override freeze" in refused.err

    until = (now + timedelta(hours=1)).isoformat()
    why = ("--reason", "the fix", "--ticket", "INC-7", "--until", until)
    half = tiny.run("ship", "--override", "freeze", "--reason", "x")
    assert (half.code, "needs --ticket" in half.err) == (2, True)
    evidence = tiny.run("ship", "--override", "code.dynos", *why)
    assert (evidence.code, "cannot be overridden" in evidence.err) == (2, True)

    done = tiny.run("ship", "--json", "--override", "freeze", *why)
    assert done.code == 0, done.err
    shipped = check(done.document, "verification")
    (override,) = shipped["overrides"]
    assert (override["gate"], override["ticket"], override["commit"]) == ("freeze", "INC-7", commit)
    assert {one["name"]: one["status"] for one in shipped["gates"]}["freeze"] == "fail"
    assert [one["number"] for one in shipped["wave"]["prs"]] == [7]

    # asked again without it: the ledger knows it, as long as it holds
    assert tiny.run("ship", "--quiet").code == 0
    verified = check(tiny.run("verify", "--json").document, "verification")
    assert verified["overrides"] == [override]
    assert "OVERRIDDEN freeze by" in tiny.run("verify").out
    releases = check(tiny.run("releases", "--json").document, "releases")
    assert [one["overrides"] for one in releases if one["commit"] == commit] == [[override]]
    assert "OVERRIDDEN freeze by" in tiny.run("releases").out
    gate = tiny.run("gate", "freeze", "--json", "--wave")
    assert gate.code == 4  # the gate itself is as shut as before
    told = check(gate.document, "gate")
    assert (told["overrides"], told["wave"]["relation"]) == ([override], "same")
    with Ledger.open(tiny.root / ".truegreen" / "ledger.sqlite3") as ledger:
        (record,) = ledger.records(kind="override")
        assert record.body["answer"]["status"] == "fail"
        assert ledger.verify().breaks == ()

    # bound to its commit: the next one is refused again
    tiny.commit({"more.txt": "x"})
    assert tiny.run("ship", "--quiet").code == 4
