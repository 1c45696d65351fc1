"""Hints wait in a bounded place, once an app, until whoever watches has asked the API."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from truegreen.state import LastingDatabase, Location
from truegreen.watch import inbox as inbox_module
from truegreen.watch.hints import Delivery
from truegreen.watch.inbox import HELD, TOO_OLD, UNWATCHED, Inbox
from truegreen.watch.together import lasting

from .platform import Clock

NOW = datetime(2026, 6, 21, tzinfo=UTC).timestamp()


def delivery(app: str, id: str = "", age: float = 0.0) -> Delivery:
    return Delivery(app, id or f"delivery-of-{app}", datetime.fromtimestamp(NOW - age, UTC))


def every(_: str) -> bool:
    return True


@pytest.fixture
def clock() -> Clock:
    made = Clock()
    made.now = NOW
    return made


def test_a_hint_is_taken_by_one_watch_and_gone_when_it_has_looked(
    location: Location, clock: Clock
) -> None:
    database = lasting(location)
    inbox = Inbox(database, clock=clock)
    inbox.put([delivery("a"), delivery("b")], {"forged": 2})
    claimed = inbox.claim(lambda app: app == "a", "one")
    assert claimed == {"a": NOW}
    assert inbox.claim(every, "two") == {"b": NOW}
    assert inbox.claim(every, "three") == {}
    inbox.done("a", "one", NOW)
    assert inbox.waiting().apps == 1
    assert inbox.waiting().tally == {"forged": 2, "taken": 2}
    database.close()


def test_a_watch_that_dies_with_a_hint_loses_it_to_another(
    database: LastingDatabase, clock: Clock
) -> None:
    inbox = Inbox(database, clock=clock)
    inbox.put([delivery("a")], {})
    assert inbox.claim(every, "dead") == {"a": NOW}
    clock.now += HELD + 1
    assert list(inbox.claim(every, "alive")) == ["a"]
    inbox.done("a", "dead", NOW)  # back again: not its hint any more
    assert inbox.waiting().apps == 1
    clock.now -= 10 * HELD  # a clock that was set back holds nothing up
    assert list(inbox.claim(every, "alive")) == ["a"]


def test_a_hint_that_comes_while_we_look_is_another(
    database: LastingDatabase, clock: Clock
) -> None:
    inbox = Inbox(database, clock=clock)
    inbox.put([delivery("a", "delivery-1")], {})
    claimed = inbox.claim(every, "one")
    clock.now += 1
    inbox.put([delivery("a", "delivery-2")], {})
    inbox.done("a", "one", claimed["a"])
    assert list(inbox.claim(every, "one")) == ["a"]


def test_the_same_delivery_an_old_one_and_one_without_an_app_are_no_hints(
    database: LastingDatabase, clock: Clock
) -> None:
    inbox = Inbox(database, clock=clock)
    inbox.put([delivery("a", "delivery-1"), delivery("a", "delivery-1")], {})
    inbox.done("a", "one", inbox.claim(every, "one")["a"])
    inbox.put([delivery("a", "delivery-1"), delivery("", "delivery-2")], {})  # a replay
    inbox.put([delivery("b", "delivery-3", age=TOO_OLD + 1)], {})
    inbox.put([delivery("c", "delivery-4", age=-3600)], {})  # their clock is ahead of ours
    assert list(inbox.claim(every, "one")) == ["c"]
    assert inbox.waiting().tally == {"taken": 2, "again": 2, "nameless": 1, "too_old": 1}


def test_a_flood_fills_no_more_than_its_place(
    database: LastingDatabase, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "MOST", 20)
    monkeypatch.setattr(inbox_module, "REMEMBERED", 50)
    inbox = Inbox(database, clock=clock)
    for number in range(10):
        inbox.put([delivery(f"app-{number}-{n}") for n in range(10)], {})
    assert inbox.waiting().apps == 20
    assert inbox.waiting().tally == {"taken": 20, "no_room": 80}
    assert next(iter(database.rows("SELECT count(*) FROM delivery")))[0] == 50
    inbox.put([delivery("app-0-0", "another-one")], {})  # one that waits already has its room
    assert inbox.waiting().tally["taken"] == 21


def test_hints_about_apps_that_nobody_watches_go(database: LastingDatabase, clock: Clock) -> None:
    inbox = Inbox(database, clock=clock)
    inbox.put([delivery("nobodys")], {})
    assert inbox.claim(lambda _: False, "one") == {}
    clock.now += UNWATCHED + 1
    assert inbox.claim(lambda _: False, "one") == {}
    assert inbox.waiting().apps == 0
    assert inbox.waiting().tally["unwatched"] == 1


def test_the_oldest_comes_first(database: LastingDatabase, clock: Clock) -> None:
    inbox = Inbox(database, clock=clock)
    for name in ("c", "a", "b"):
        inbox.put([delivery(name)], {})
        clock.now += 1
    inbox.put([delivery("c", "again")], {})
    assert list(inbox.claim(every, "one")) == ["c", "a", "b"]
    assert inbox.waiting().oldest == pytest.approx(3)
