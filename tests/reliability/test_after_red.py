"""After red: the same slug tried again, and the way back, each verified like any deploy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
from tiny_service import RELEASE, Tiny

import truegreen

SCHEMAS = Path(truegreen.__file__).parent / "outputs" / "schemas"


def fits(name: str, document: Any) -> None:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)


def fails_without(mark: Path) -> str:
    return (
        RELEASE + "import pathlib, sys\n"
        f"if not pathlib.Path({str(mark)!r}).exists():\n"
        "    print('psycopg.errors.LockNotAvailable: canceling statement due to lock timeout')\n"
        "    sys.exit(1)\n"
    )


def test_retry_makes_a_new_release_of_the_same_slug_and_says_what_is_true(
    tiny: Tiny, tmp_path: Path
) -> None:
    assert tiny.run("ship").code == 0
    mark = tmp_path / "the-lock-is-free"
    tiny.commit({"release.py": fails_without(mark)})
    red = tiny.run("ship", "--json")
    assert red.code == 1
    assert red.document["recommendation"]["action"] == "retry"
    lines = [finding for finding in red.document["diagnosis"] if finding["name"] == "lock-timeout"]
    assert "lock timeout" in lines[0]["quotes"][0]["text"]

    still = tiny.run("retry", "--json")
    assert still.code == 1
    mark.touch()
    again = tiny.run("retry", "--json")
    assert (again.code, again.document["verdict"]) == (0, "green"), again.err
    fits("verification", again.document)
    assert again.document["release"]["version"] == red.document["release"]["version"] + 2
    nothing = tiny.run("retry")
    assert nothing.code == 2
    assert "only a failed or expired release" in nothing.err
    recorded = [entry["kind"] for entry in tiny.run("ledger", "list", "--json").document]
    assert recorded.count("retry") == 2


def test_rollback_asks_first_goes_back_and_is_verified(tiny: Tiny) -> None:
    old = tiny.commit({"CHANGES": "one"})
    first = tiny.run("ship", "--json").document
    tiny.commit({"CHANGES": "two"})
    second = tiny.run("ship", "--json").document

    plan = tiny.run("rollback", "--plan", "--json")
    assert plan.code == 0, plan.err
    fits("rollback-plan", plan.document)
    assert plan.document["to"] == f"v{first['release']['version']}"

    back = tiny.run("rollback", "--json")
    assert (back.code, back.document["commit"]) == (0, old), back.err
    assert back.document["serving"]["says"] == old
    assert back.document["release"]["version"] == second["release"]["version"] + 1
    assert tiny.run("verify", "--commit", old).code == 0

    forth = f"v{second['release']['version']}"
    insisted = tiny.run("rollback", "--to", forth, "--anyway", "they need it", "--json")
    assert (insisted.code, insisted.document["notes"][-1]) == (
        0,
        "rolled back anyway: they need it",
    )


def test_a_rollback_to_code_whose_flags_no_longer_parse_is_refused_unless_insisted(
    tiny: Tiny,
) -> None:
    flags = '\n[flags]\nprefix = "FLAG_"\n[flags.FLAG_A]\ntype = "bool"\ndefault = false\n'
    toml = (tiny.root / "truegreen.toml").read_text()
    # The first release ran without the variable that its own declaration demands.
    tiny.commit({"truegreen.toml": toml + flags + '[config]\nrequired = ["STRIPE_KEY"]\n'})
    assert tiny.run("ship").code == 1
    tiny.commit({"truegreen.toml": toml})
    assert tiny.run("ship").code == 0
    refused = tiny.run("rollback")
    assert (refused.code, "STRIPE_KEY is not set" in refused.err) == (4, True), refused.err
    before = tiny.run("releases", "--json").document
    insisted = tiny.run("rollback", "--anyway", "the newer code loses orders", "--json")
    assert insisted.document["verdict"] == "green", insisted.err
    assert any("loses orders" in note for note in insisted.document["notes"])
    assert len(tiny.run("releases", "--json").document) == len(before) + 1
