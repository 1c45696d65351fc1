"""A rollback is sound only when each of its four questions has a good answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from truegreen.model import Status
from truegreen.model.rollback import RollbackFacts, preconditions

GOOD = RollbackFacts(
    version=153,
    current=False,
    has_slug=True,
    eligible=True,
    status="succeeded",
    schema="0046",
    migrates=True,
    knows_schema=True,
    release_command="truegreen release",
    flag_problems=(),
)


def answers(**changed: Any) -> dict[str, Status]:
    return {one.name: one.status for one in preconditions(replace(GOOD, **changed))}


def test_all_four_hold_for_a_sound_rollback() -> None:
    assert set(answers().values()) == {Status.PASS}
    assert list(answers()) == ["eligible", "schema", "release-command", "flags"]


@pytest.mark.parametrize(
    ("changed", "name", "status"),
    [
        ({"current": True}, "eligible", Status.FAIL),
        ({"has_slug": False}, "eligible", Status.FAIL),
        ({"status": "failed"}, "eligible", Status.FAIL),
        ({"eligible": False}, "eligible", Status.FAIL),
        ({"eligible": None}, "eligible", Status.UNKNOWN),
        ({"schema": None}, "schema", Status.UNKNOWN),
        ({"knows_schema": None}, "schema", Status.UNKNOWN),
        ({"knows_schema": False}, "schema", Status.FAIL),
        ({"release_command": None}, "release-command", Status.UNKNOWN),
        ({"flag_problems": None}, "flags", Status.UNKNOWN),
        ({"flag_problems": ("FLAG_A: 'maybe'",)}, "flags", Status.FAIL),
    ],
)
def test_each_fact_that_is_off_is_told_by_its_own_question(
    changed: dict[str, Any], name: str, status: Status
) -> None:
    assert answers(**changed)[name] is status


@pytest.mark.parametrize(
    ("command", "knows", "status"),
    [
        ("alembic upgrade head", False, Status.FAIL),
        ("alembic -c conf/a.ini upgrade head && pytest", False, Status.FAIL),
        ("alembic upgrade head", True, Status.PASS),
        ("truegreen release", False, Status.PASS),
        ("", False, Status.PASS),
        ("python migrate.py", False, Status.UNKNOWN),
        ("python migrate.py", None, Status.UNKNOWN),
    ],
)
def test_what_the_old_release_command_does_to_a_newer_schema(
    command: str, knows: bool | None, status: Status
) -> None:
    found = answers(release_command=command, knows_schema=knows)
    assert found["release-command"] is status


def test_a_service_without_migrations_is_not_asked_for_its_schema() -> None:
    found = answers(migrates=False, schema=None, knows_schema=None, release_command="python x.py")
    assert set(found.values()) == {Status.PASS}


def test_the_error_that_alembic_will_give_is_foretold() -> None:
    facts = replace(GOOD, knows_schema=False, release_command="alembic upgrade head")
    told = {one.name: one.told for one in preconditions(facts)}
    assert "Can't locate revision identified by '0046'" in told["release-command"]
