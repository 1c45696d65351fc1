"""A ship that comes out red leaves the draft of its incident beside the service."""

from __future__ import annotations

import pytest
from tiny_service import Tiny

from truegreen.incidents.document.read import read_review

pytestmark = [pytest.mark.platform, pytest.mark.timeout(200)]


def test_a_red_ship_drafts_its_incident_and_a_green_one_nothing(tiny: Tiny) -> None:
    done = tiny.run("ship", "--json")
    assert done.code == 0, done.err
    assert not (tiny.root / "docs").exists()
    tiny.commit({"release.py": "import sys; print('no'); sys.exit(1)\n"})
    done = tiny.run("ship", "--json")
    assert done.code == 1, done.err
    (path,) = (tiny.root / "docs" / "incidents").glob("*.md")
    assert f"incident drafted: {path}" in done.err
    incident = read_review(path).incident
    assert (incident.status, incident.app) == ("draft", "tiny-app")
    assert incident.commit == done.document["commit"]
    linted = tiny.run("incident", "lint", "--json")
    assert linted.code == 1
    rules = {one["rule"] for one in linted.document["findings"]}
    assert not {one for one in rules if one.startswith(("evidence", "cited", "cannot"))}
