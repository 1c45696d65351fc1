"""The health report: a contract that verify reads, and public."""

import json
import pickle
import time
from typing import Any

import pytest

from truegreen.config import FlagDeclaration
from truegreen.errors import UsageError
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
        "guard": {
            "mode": "enforce",
            "list_age_days": None,
            "list_stale": False,
            "last_refused_at": None,
        },
    }
    assert digest["declared"] == 1
    shown = json.dumps([body, digest])
    assert "hush" not in shown
    assert "hidden-value" not in shown
    assert "FLAG_NAME" not in shown
    assert HEADERS["Cache-Control"] == "no-store"


def test_what_is_not_known_is_null() -> None:
    dyno = {"HEROKU_SLUG_COMMIT": "", "HEROKU_RELEASE_VERSION": ""}
    status, body = Health("raptor", dyno, schema=lambda: None).report()
    assert status == 200
    assert {body[key] for key in ("commit", "release", "schema", "guard", "flags")} == {None}
    assert Health("raptor", {}).report()[1]["commit"] is None


def test_a_schema_that_cannot_be_read_is_an_error_without_its_text() -> None:
    for error in (ConnectionError, LookupError):

        def broken(error: type[Exception] = error) -> SchemaState:
            raise error("postgres://user:password@host/db")

        status, body = Health("raptor", {}, schema=broken).report()
        assert (status, body["status"], body["schema"]) == (503, "error", None)
        assert error.__name__ in body["error"]
        assert "password" not in json.dumps(body)


def test_a_schema_that_is_no_schema_state_is_an_error_and_no_500() -> None:
    for made in (lambda: "0046", lambda: ("0046", ["0046"]), lambda: SchemaState("1", "0046")):
        status, body = Health("raptor", {}, schema=made).report()  # type: ignore[arg-type, return-value]
        assert (status, body["status"], body["schema"]) == (503, "error", None)
    with pytest.raises(UsageError, match="heads is one string"):
        SchemaState("1", "0046")  # type: ignore[arg-type]


def test_the_digest_follows_the_declared_names_and_not_the_values() -> None:
    def digest(value: str) -> object:
        return Health("r", {}, flags=FLAGS.read({"FLAG_NAME": value})).report()[1]["flags"]

    assert digest("a") == digest("b")

    def told(*names: str) -> dict[str, Any]:
        flags = Flags("", {name: FlagDeclaration(name) for name in names})
        found: dict[str, Any] = Health("r", {}, flags=flags.read({})).report()[1]["flags"]
        return found

    assert told("A", "B") == told("B", "A")
    assert len({told(*names)["digest"] for names in ((), ("A", "B"), ("AB",), ("A", "BC"))}) == 4
    assert [told(*names)["declared"] for names in ((), ("A",), ("A", "B"))] == [0, 1, 2]


class Guard:
    """What a guard with a list tells."""

    mode = "report"
    list_age_days = 3.14159
    list_stale = True
    last_refused_at = 0.0


def test_a_list_of_this_day_has_an_age() -> None:
    guard = Guard()
    guard.list_age_days = 0.0
    assert Health("r", {}, guard=guard).report()[1]["guard"]["list_age_days"] == 0.0


def test_the_guards_list_and_its_last_refusal_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")  # the moment is told in UTC wherever a dyno stands
    time.tzset()
    told = Health("r", {}, guard=Guard()).report()[1]["guard"]
    assert told == {
        "mode": "report",
        "list_age_days": 3.1,
        "list_stale": True,
        "last_refused_at": "1970-01-01T00:00:00Z",
    }
    monkeypatch.undo()
    time.tzset()


TOKEN = "0123456789abcdef"


def asked_too_much() -> SchemaState:
    raise AssertionError("the brief view asks nobody")


def test_the_brief_view_asks_nobody_and_tells_code_and_release() -> None:
    health = Health("r", {**DYNO, "HEALTH_TOKEN": TOKEN}, schema=asked_too_much, guard=Guard())
    for token in (None, "", "guessed", TOKEN.upper(), TOKEN + " ", "\xff" * 16, "\udc80",
                  TOKEN[:-1], TOKEN * 100_000):  # fmt: skip
        status, body = health.answer(token)
        assert (status, body["commit"], body["release"]) == (200, "f" * 40, "v12")
        assert {body[key] for key in ("schema", "guard", "flags")} == {None}


def test_the_token_opens_the_details() -> None:
    health = Health("r", {"HEALTH_TOKEN": TOKEN}, schema=lambda: SchemaState("1", ("1",)))
    assert health.answer(TOKEN)[1]["schema"] == {"current": "1", "heads": ["1"]}
    given = Health("r", {"HEALTH_TOKEN": TOKEN}, token=Secret("x" * 16))
    assert (given.accepts("x" * 16), given.accepts(TOKEN)) == (True, False)


def test_without_a_token_nothing_opens_the_details() -> None:
    for health in (
        Health("r", {}),
        Health("r", {"HEALTH_TOKEN": ""}),
        Health("r", {}, token=Secret("")),
        Health("r", {"HEALTH_TOKEN": TOKEN}, token=Secret("")),  # what is handed in counts
    ):
        assert not any(health.accepts(token) for token in (None, "", "x", TOKEN))


def test_a_token_that_can_be_guessed_does_not_start() -> None:
    with pytest.raises(UsageError, match="HEALTH_TOKEN has less than 16") as caught:
        Health("r", {"HEALTH_TOKEN": "short"})
    assert "short" not in str(caught.value)


@pytest.mark.parametrize("token", [TOKEN + "\n", " " + TOKEN, "\u20ac" * 16, "\udc80" * 16])
def test_a_token_that_no_header_carries_does_not_start(token: str) -> None:
    """It would never open anything, and nobody would know why."""
    with pytest.raises(UsageError, match=r"HEALTH_TOKEN has (surrounding|characters)") as caught:
        Health("r", {"HEALTH_TOKEN": token})
    assert TOKEN not in str(caught.value)


def test_a_schema_state_is_a_value() -> None:
    state = SchemaState(current="1", heads=("1",))
    assert state == pickle.loads(pickle.dumps(state)) == SchemaState("1", ("1",))
    assert hash(state) == hash(SchemaState("1", ("1",)))
    assert state != SchemaState("2", ("1",))
    assert repr(state) == "SchemaState(current='1', heads=('1',))"
    with pytest.raises(AttributeError):
        state.current = "2"
    with pytest.raises(AttributeError):
        del state.current
