"""How long a migration waits, and what it makes of a driver's error."""

from __future__ import annotations

from typing import Any

import pytest

from truegreen.release.migrate.patience import (
    LONGEST_PAUSE,
    first_line,
    is_lock_trouble,
    pause,
    state_of,
    wait_for_lock,
)
from truegreen.release.migrate.phase import read_answer
from truegreen.release.migrate.session_lock import LockFailed, SessionLock, key_of


class Driver(Exception):
    sqlstate: str | None = None
    pgcode: str | None = None
    orig: BaseException | None = None


def test_pauses_grow_to_a_bound_and_never_vanish() -> None:
    assert [round(pause(n, 1.0), 2) for n in (1, 2, 3, 100)] == [0.1, 0.15, 0.23, LONGEST_PAUSE]
    assert pause(1, 0.0) == 0.05


def test_a_turn_outlasts_autovacuums_patience_only_where_there_is_a_vacuum() -> None:
    assert wait_for_lock(0.05, None) == 0.05
    assert wait_for_lock(0.05, 1.0) == pytest.approx(1.2)
    assert wait_for_lock(5.0, 1.0) == 5.0


@pytest.mark.parametrize(
    ("name", "state", "again"),
    [("sqlstate", "55P03", True), ("pgcode", "40P01", True), ("sqlstate", "23505", False)],
)
def test_the_state_is_found_wherever_the_driver_keeps_it(
    name: str, state: str, again: bool
) -> None:
    inner, outer = Driver("x"), Driver("y")
    setattr(inner, name, state)
    outer.orig = inner
    assert (state_of(outer), is_lock_trouble(outer)) == (state, again)
    inner.__cause__ = outer  # a ring ends too
    assert state_of(outer) == state


def test_pg8000_keeps_it_in_a_dictionary() -> None:
    assert state_of(Driver({"C": "55P03"})) == "55P03"
    assert state_of(ValueError()) == ""


def test_details_with_rows_in_them_are_left_out() -> None:
    error = Driver("duplicate key\nDETAIL:  Key (email)=(ada@private.test) already exists.")
    assert first_line(error) == "Driver: duplicate key"
    assert first_line(Driver()) == "Driver"


def test_keys_differ_by_version_table_and_fit_a_bigint() -> None:
    keys = {key_of(None, "a"), key_of("s", "a"), key_of(None, "b")}
    assert len(keys) == 3
    assert all(0 <= key < 2**63 for key in keys)


class Pooled:
    """A connection that a pooler in transaction mode serves: each statement another backend."""

    def __init__(self) -> None:
        self.pid = 0

    def execute(self, statement: Any, _given: Any = None) -> Any:
        self.pid += 1
        row = (self.pid, "pg_try" in statement.text)

        class Result:
            def fetchone(self) -> Any:
                return row

        return Result()


def test_a_lock_that_does_not_hold_is_noticed() -> None:
    with pytest.raises(LockFailed, match="a pooler in transaction mode"):
        SessionLock(Pooled(), 1).acquire(1.0, lambda _: None)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"before": 3}', '{"before": null, "after": null, "heads": []}']
)
def test_half_an_answer_is_none(tmp_path: Any, text: str) -> None:
    file = tmp_path / "answer.json"
    assert read_answer(file) is None
    file.write_text(text)
    assert read_answer(file) is None
