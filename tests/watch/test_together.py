"""Watches of one token divide its apps and share a budget; each change is told by one of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from truegreen.ledger import Ledger, Record
from truegreen.model.drift import Change
from truegreen.state import LastingDatabase, Location, StateError
from truegreen.watch import Fleet, Sight, Terms
from truegreen.watch.hints import Delivery
from truegreen.watch.inbox import Inbox
from truegreen.watch.notes import Notes, Watched
from truegreen.watch.roster import LIVES, Roster, owner
from truegreen.watch.run import THE_DATABASE, look_on
from truegreen.watch.together import Together, lasting

from .platform import Apps, Clock

TERMS = Terms.within(4500)


class Watch:
    """A watch that is moved by hand, on a clock that several share."""

    def __init__(self, database: LastingDatabase, apps: Apps, clock: Clock) -> None:
        self.told: list[tuple[str, str]] = []
        self.together = Together(
            database, "key", TERMS, every_app=True, clock=clock, database_clock=clock
        )
        self.fleet = Fleet(apps, self.together.budget, clock=clock)

    def turn(self) -> None:
        self.together.tick(self.fleet, dict)
        sight = self.fleet.step()
        if sight is not None:
            self.told += [(sight.app, change.kind) for change in sight.began]
            self.together.looked(sight)


def run(clock: Clock, seconds: float, *watches: Watch) -> None:
    until = clock.now + seconds
    while clock.now < until:
        for watch in watches:
            watch.turn()
        clock.sleep(0.5)


def test_apps_are_divided_and_each_change_is_told_once(database: LastingDatabase) -> None:
    apps, clock = Apps(*[f"app-{n}" for n in range(40)]), Clock()
    one, two = Watch(database, apps, clock), Watch(database, apps, clock)
    run(clock, 300, one, two)
    shares = [watch.fleet.pressure().apps for watch in (one, two)]
    assert sum(shares) == 40
    assert min(shares) >= 8
    for number in (3, 14, 25, 36):
        apps.release(f"app-{number}", "failed")
    run(clock, 200, one, two)
    expected = {(f"app-{n}", "release-failed") for n in (3, 14, 25, 36)}
    assert sorted(one.told + two.told) == sorted(expected)


def test_who_takes_over_tells_what_failed_meanwhile_and_nothing_twice(
    database: LastingDatabase,
) -> None:
    apps, clock = Apps("a", "b"), Clock()
    first = Watch(database, apps, clock)
    run(clock, 60, first)
    apps.release("a", "failed")
    run(clock, 100, first)
    assert first.told == [("a", "release-failed")]
    apps.release("b", "failed")  # nobody looks: first was killed
    clock.now += LIVES + 1
    second = Watch(database, apps, clock)
    run(clock, 60, second)
    assert second.told == [("b", "release-failed")]


def test_the_share_of_a_watch_that_died_is_the_others_after_a_while(
    database: LastingDatabase,
) -> None:
    apps, clock = Apps(*[f"app-{n}" for n in range(20)]), Clock()
    one, two = Watch(database, apps, clock), Watch(database, apps, clock)
    run(clock, 60, one, two)
    assert one.fleet.pressure().apps < 20
    run(clock, LIVES + 10, one)
    assert one.fleet.pressure().apps == 20
    two.turn()  # was only suspended
    clock.now += 6
    run(clock, 20, one, two)
    assert one.fleet.pressure().apps + two.fleet.pressure().apps == 20


def test_a_clock_that_was_set_back_leaves_no_ghost(database: LastingDatabase) -> None:
    clock = Clock()
    clock.now = 1e6
    roster = Roster(database, clock=clock)
    roster.beat("ghost", "key", every_app=True, told={})
    clock.now = 100.0
    assert roster.watchers() == []
    assert roster.beat("us", "key", every_app=True, told={"apps": 1}) == ["us"]
    assert [one.id for one in roster.watchers()] == ["us"]


def test_one_that_comes_moves_only_its_own_share() -> None:
    names = [f"app-{n}" for n in range(300)]
    before = {name: owner(name, ["a", "b"]) for name in names}
    after = {name: owner(name, ["a", "b", "c"]) for name in names}
    moved = [name for name in names if before[name] != after[name]]
    assert {after[name] for name in moved} == {"c"}
    assert 60 < len(moved) < 140
    assert owner("app", []) == ""


def test_a_hint_from_the_database_is_looked_at_within_seconds(location: Location) -> None:
    apps, clock = Apps(*[f"app-{n}" for n in range(9)]), Clock()
    database = lasting(location)
    watch = Watch(database, apps, clock)
    run(clock, 20, watch)
    apps.release("app-7", "failed")
    Inbox(database, clock=clock).put([Delivery("app-7", "delivery-1", None)], {})
    run(clock, 3, watch)
    assert watch.told == [("app-7", "release-failed")]
    assert Inbox(database).waiting().apps == 0
    assert watch.together.hints == 1
    database.close()


def test_a_hint_at_another_watchs_port_reaches_the_one_whose_app_it_is(
    database: LastingDatabase,
) -> None:
    apps, clock = Apps(*[f"app-{n}" for n in range(20)]), Clock()
    one, two = Watch(database, apps, clock), Watch(database, apps, clock)
    run(clock, 120, one, two)
    app = next(name for name in one.fleet.apps if not one.fleet.is_mine(name))
    apps.release(app, "failed")
    one.together.hint(app, one.fleet)
    run(clock, 5, one, two)
    assert two.told == [(app, "release-failed")]


def watched(
    database: LastingDatabase, apps: Apps, folder: Path, sleep: Callable[[Clock], None]
) -> tuple[list[str], Ledger, int]:
    clock, said = Clock(), list[str]()

    def slept(seconds: float) -> None:
        clock.sleep(seconds)
        sleep(clock)

    ledger = Ledger.open(folder / "ledger.sqlite3")
    together = Together(database, "key", TERMS, every_app=True, clock=clock, database_clock=clock)
    found = look_on(
        apps, None, ledger=ledger, seconds=60, every=2, calls_per_hour=4500,
        say=said.append, clock=clock, sleep=slept, together=together,
    )  # fmt: skip
    assert json.loads(json.dumps(found.as_json()))["pressure"]["watches"] == 1
    return said, ledger, found.exit_code


def test_while_the_database_is_away_the_platform_is_not_asked_and_then_it_goes_on(
    database: LastingDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apps = Apps("a")
    asked: list[int] = []
    real = LastingDatabase.write

    def away(self: LastingDatabase) -> object:
        raise StateError("server closed the connection")

    def sleep(clock: Clock) -> None:
        if 20 < clock.now < 40:
            monkeypatch.setattr(LastingDatabase, "write", away)
            asked.append(apps.calls)
            apps.crash("a")
        else:
            monkeypatch.setattr(LastingDatabase, "write", real)

    said, ledger, code = watched(database, apps, tmp_path, sleep)
    assert len(set(asked[1:])) == 1
    assert [line for line in said if "database" in line] == [
        "the database does not answer; nothing is looked at: server closed the connection",
        "the database answers again",
    ]
    assert THE_DATABASE not in "".join(said)
    assert [record.body["change"] for record in ledger.records(kind="watch")] == ["dyno-crashed"]
    assert code == 1
    ledger.close()


def test_a_watch_that_ends_leaves_the_roster_at_once(
    database: LastingDatabase, tmp_path: Path
) -> None:
    _, ledger, code = watched(database, Apps("a"), tmp_path, lambda _: None)
    assert code == 0
    assert list(database.rows("SELECT id FROM watcher")) == []
    ledger.close()


def test_an_app_that_comes_back_to_a_watch_is_looked_at_anew(database: LastingDatabase) -> None:
    apps, clock = Apps(*[f"app-{n}" for n in range(20)]), Clock()
    one = Watch(database, apps, clock)
    run(clock, 60, one)
    two = Watch(database, apps, clock)
    run(clock, 60, one, two)
    app = next(name for name in two.fleet.apps if two.fleet.is_mine(name))
    apps.release(app, "failed")
    run(clock, 100, one, two)
    assert two.told == [(app, "release-failed")]
    two.together.leave()
    run(clock, 60, one)
    assert one.fleet.is_mine(app)
    assert one.told == []


def test_changes_that_could_not_be_kept_are_kept_later_each_once(tmp_path: Path) -> None:
    class Failing(Ledger):
        left = 1

        def append(self, *given: Any, **named: Any) -> Record:
            if self.left == 0:
                raise StateError("disk full")
            self.left -= 1
            return super().append(*given, **named)

    said: list[str] = []
    with Failing.open(tmp_path / "ledger.sqlite3") as ledger:
        assert isinstance(ledger, Failing)
        notes = Notes(Watched(), ledger, said.append)
        began = tuple(Change("dyno-crashed", f"web.{n}", f"web.{n} is down") for n in range(3))
        notes.note(Sight("a", began, (), 2))
        with pytest.raises(StateError):
            notes.keep()
        assert notes.unkept == 2
        ledger.left = 9
        notes.keep()
        assert [record.body["key"] for record in ledger.records()] == ["web.0", "web.1", "web.2"]
    assert len(said) == 3
