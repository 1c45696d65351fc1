"""What the verbs print with ``--json`` on a shipped service, held against the published schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tiny_service import Tiny

import truegreen

pytestmark = pytest.mark.platform
SCHEMAS = Path(truegreen.__file__).parent / "outputs" / "schemas"


def fits(document: Any, name: str) -> None:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)


def test_documents_fit_their_schemas(tiny: Tiny) -> None:
    shipped = tiny.run("ship", "--json")
    assert shipped.code == 0, shipped
    fits(shipped.document, "verification")
    fits(tiny.run("verify", "--json").document, "verification")
    releases = tiny.run("releases", "--json").document
    fits(releases, "releases")
    assert (releases[0]["current"], releases[0]["commit"]) == (True, shipped.document["commit"])
    gates = tiny.run("gate", "freeze", "scan", "migrations", "--json")
    fits(gates.document, "gate")
    assert (gates.code, gates.document["open"]) == (0, True)
    listed = tiny.run("ledger", "list", "--json").document
    fits(listed, "ledger-list")
    assert [record["kind"] for record in listed] == ["verify", "ship"]
    checked = tiny.run("ledger", "check", "--json").document
    fits(checked, "ledger-check")
    assert checked["holds"] is True
    fits(tiny.status(), "platform-status")
