"""The health report: a contract that verify reads, and public."""

import json

from truegreen.config import FlagDeclaration
from truegreen.flags import Flags
from truegreen.guard import GuardPolicy
from truegreen.health import HEADERS, Health, SchemaState
from truegreen.secret import Secret

FLAGS = Flags("FLAG_", {"FLAG_NAME": FlagDeclaration("FLAG_NAME", type="str", default="")})
DYNO = {"HEROKU_SLUG_COMMIT": "f" * 40, "HEROKU_RELEASE_VERSION": "v12", "ORIGIN_SECRET": "hush"}


def test_the_report_says_what_serves() -> None:
    health = Health(
        "raptor",
        DYNO,
        schema=lambda: SchemaState("0046", ("0046",)),
        guard=GuardPolicy("enforce", [Secret("hush")]),
        flags=FLAGS.read({"FLAG_NAME": "hidden-value"}),
    )
    status, body = health.report()
    digest = body.pop("flags")
    assert status == 200
    assert body == {
        "status": "ok",
        "service": "raptor",
        "commit": "f" * 40,
        "release": "v12",
        "schema": {"current": "0046", "heads": ["0046"]},
        "guard": {"mode": "enforce"},
    }
    assert digest["declared"] == 1
    shown = json.dumps([body, digest])
    assert "hush" not in shown
    assert "hidden-value" not in shown
    assert "FLAG_NAME" not in shown
    assert HEADERS["Cache-Control"] == "no-store"


def test_what_is_not_known_is_null() -> None:
    status, body = Health("raptor", {"HEROKU_SLUG_COMMIT": ""}, schema=lambda: None).report()
    assert status == 200
    assert {body[key] for key in ("commit", "release", "schema", "guard", "flags")} == {None}


def test_a_schema_that_cannot_be_read_is_an_error_without_its_text() -> None:
    def broken() -> SchemaState:
        raise ConnectionError("postgres://user:password@host/db")

    status, body = Health("raptor", {}, schema=broken).report()
    assert (status, body["status"], body["schema"]) == (503, "error", None)
    assert "ConnectionError" in body["error"]
    assert "password" not in json.dumps(body)


def test_the_digest_follows_the_declared_names_and_not_the_values() -> None:
    def digest(value: str) -> object:
        return Health("r", {}, flags=FLAGS.read({"FLAG_NAME": value})).report()[1]["flags"]

    assert digest("a") == digest("b")
    assert digest("a") != Health("r", {}, flags=Flags("", {}).read({})).report()[1]["flags"]
