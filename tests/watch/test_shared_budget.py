"""One budget a token, for every process and machine; never more than was granted together."""

from __future__ import annotations

import sqlite3
import threading
from typing import Any

import pytest

from truegreen.secret import Secret
from truegreen.state import LastingDatabase, Location, StateError
from truegreen.watch.budget import LEFT_ALONE, Terms
from truegreen.watch.shared_budget import SharedBudget, budget_key, spent_last_hour
from truegreen.watch.together import lasting

from .platform import Clock

TERMS = Terms(1.0, burst=10)
KEY = budget_key("https://api.example", Secret("t0ken"))


def test_what_one_takes_the_other_has_not(location: Location) -> None:
    clock = Clock()
    ours, theirs = lasting(location), lasting(location)
    one = SharedBudget(ours, KEY, TERMS, clock=clock)
    other = SharedBudget(theirs, KEY, TERMS, clock=clock)
    assert one.take(6)
    assert other.tokens == pytest.approx(4)
    assert not other.take(5)
    assert not other.take(3, keep=2)
    other.settle(6)  # made already
    assert one.tokens == pytest.approx(-2)
    clock.now = 5.0
    assert one.take(3)
    one.settle(-2)  # two of them were not needed
    assert one.tokens == pytest.approx(2)
    assert spent_last_hour(ours, KEY, clock.now) == 13
    for database in (ours, theirs):
        database.close()


def test_another_token_has_a_budget_of_its_own(database: LastingDatabase) -> None:
    clock = Clock()
    assert SharedBudget(database, KEY, TERMS, clock=clock).take(10)
    other = budget_key("https://api.example", Secret("t0ken2"))
    assert SharedBudget(database, other, TERMS, clock=clock).take(10)


def test_the_key_gives_the_token_away_to_nobody() -> None:
    assert "t0ken" not in KEY
    assert len(KEY) == 64
    assert budget_key("https://other.example", Secret("t0ken")) != KEY
    assert budget_key("https://api.example", Secret("t0ken")) == KEY


def test_processes_that_take_at_once_get_no_more_than_there_is(location: Location) -> None:
    granted: list[bool] = []

    def take() -> None:
        mine = lasting(location)
        budget = SharedBudget(mine, KEY, Terms(0.001, burst=20))
        granted.extend(budget.take() for _ in range(10))
        mine.close()

    first = lasting(location)
    first.clock()  # makes the tables
    first.close()
    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert granted.count(True) == 20


def test_a_clock_that_jumps_gives_at_most_the_burst(database: LastingDatabase) -> None:
    clock = Clock()
    budget = SharedBudget(database, KEY, TERMS, clock=clock)
    clock.now = 1e9
    assert budget.take(10)
    clock.now = 0.0  # set back: nothing is given for it, and nothing is held back
    assert not budget.take()
    clock.now = 3.0
    assert budget.take(3)
    assert not budget.take()
    assert spent_last_hour(database, KEY, clock.now) == 3  # of the clock that is


def test_what_the_platform_says_is_left_counts_more_than_our_own_sum(
    database: LastingDatabase,
) -> None:
    clock = Clock()
    budget = SharedBudget(database, KEY, TERMS, clock=clock)
    budget.cap(4000)
    assert budget.tokens == 10
    budget.cap(LEFT_ALONE + 3)
    assert budget.tokens == 3
    budget.cap(0)  # 429: others have used it up
    clock.now = LEFT_ALONE - 1.0
    assert not budget.take()
    clock.now = LEFT_ALONE + 1.0
    assert budget.take()


def test_without_its_database_nothing_is_granted_and_it_comes_back(
    database: LastingDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = SharedBudget(database, KEY, TERMS)
    assert budget.take()
    gone: Any = database._db
    gone._db.close()
    monkeypatch.setattr(gone, "_db", _Cut())  # as when the server went away
    with pytest.raises(StateError):
        budget.take()
    assert budget.take()


class _Cut:
    in_transaction = False

    def execute(self, *_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    def close(self) -> None:
        return
