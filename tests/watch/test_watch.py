"""A watch tells each change once, when it begins and when it is gone, within its budget."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

import truegreen
from truegreen.errors import PlatformUnreachable
from truegreen.ledger import Ledger
from truegreen.watch import AppWatch, Budget, Fleet, Terms
from truegreen.watch.run import Watched, look_on

from .platform import Apps, Clock

BURST = Terms.within(4500).burst
SCHEMA = Path(truegreen.__file__).parent / "outputs" / "schemas" / "watch.json"


def test_a_budget_grants_what_it_has_and_refills_with_time() -> None:
    clock = Clock()
    budget = Budget(Terms(1.0, burst=2), clock=clock)
    assert [budget.take() for _ in range(3)] == [True, True, False]
    assert budget.terms.wait(budget.tokens, 1) == pytest.approx(1.0)
    clock.now = 1.0
    assert budget.take()
    clock.now = 100.0
    assert not budget.take(3)
    assert not budget.take(2, keep=1)
    assert budget.take(2)
    clock.now = 50.0  # set back
    assert not budget.take()


@pytest.mark.parametrize("per_hour", [8, 60, 3600, 4500, 100_000])
def test_no_hour_has_more_calls_than_were_granted_wherever_it_begins(per_hour: int) -> None:
    terms = Terms.within(per_hour)
    assert terms.burst + 3600 * terms.rate <= per_hour
    assert terms.burst >= 4  # or an app could never be looked at


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-5, 1), (10, 0)])
def test_a_budget_of_nothing_is_refused(rate: float, burst: float) -> None:
    with pytest.raises(ValueError, match="budget"):
        Terms(rate, burst)


def test_a_look_at_which_nothing_changed_costs_two_calls() -> None:
    apps, watch = Apps("a"), AppWatch("a")
    assert watch.look(apps).calls == 4
    assert [watch.look(apps).calls for _ in range(9)] == [2] * 9
    assert watch.look(apps).calls == 3  # the formation, now and then
    assert apps.asked["config"] == 1


def test_a_release_from_its_beginning_to_its_end_costs_five_calls() -> None:
    apps, watch = Apps("a"), AppWatch("a")
    watch.look(apps)
    apps.release("a", "pending")
    begun = watch.look(apps)
    assert (begun.calls, begun.pending, begun.seen_to) == (3, True, 1)  # the config vars as well
    assert watch.look(apps).calls == 2
    apps.end("a", "failed")
    ended = watch.look(apps)
    assert (ended.calls, ended.pending, ended.seen_to) == (2, False, 2)
    assert [change.kind for change in ended.began] == ["release-failed"]
    apps.release("a")
    assert watch.look(apps).calls == 4  # another is current: the formation too


def test_each_change_is_told_when_it_begins_and_when_it_is_gone() -> None:
    apps, watch = Apps("a"), AppWatch("a")
    watch.look(apps)
    apps.crash("a")
    assert [change.kind for change in watch.look(apps).began] == ["dyno-crashed"]
    again = watch.look(apps)
    assert (again.began, again.ended) == ((), ())
    assert [change.kind for change in watch.open] == ["dyno-crashed"]
    apps.crash("a", "up")
    assert [change.kind for change in watch.look(apps).ended] == ["dyno-crashed"]
    apps.release("a", "failed")
    assert [change.kind for change in watch.look(apps).began] == ["release-failed"]
    apps.release("a", A="2")
    assert [change.kind for change in watch.look(apps).began] == ["config-drift"]


def test_a_look_without_an_answer_forgets_nothing() -> None:
    apps, watch = Apps("a"), AppWatch("a")
    watch.look(apps)
    apps.release("a", "failed")
    apps.away = {"dynos"}
    with pytest.raises(PlatformUnreachable):
        watch.look(apps)
    apps.away = set()
    assert [change.kind for change in watch.look(apps).began] == ["release-failed"]


def run(fleet: Fleet, clock: Clock, seconds: float) -> list[tuple[float, str, str]]:
    """(time, app, kind) of every change that a fleet tells in ``seconds``."""
    told, until = [], clock.now + seconds
    while clock.now < until:
        sight = fleet.step()
        if sight is None:
            clock.sleep(max(0.01, min(fleet.idle(), until - clock.now)))
        else:
            told += [(clock.now, sight.app, change.kind) for change in sight.began]
    return told


def fleet_of(apps: Apps, clock: Clock, *, per_hour: float = 4500) -> tuple[Fleet, Budget]:
    budget = Budget(Terms.within(per_hour), clock=clock)
    return Fleet(apps, budget, clock=clock), budget


def test_a_thousand_apps_stay_within_the_budget_and_a_release_is_seen_in_minutes() -> None:
    names = [f"app-{n}" for n in range(1000)]
    apps, clock = Apps(*names), Clock()
    fleet, _ = fleet_of(apps, clock)
    run(fleet, clock, 3600)
    assert len(fleet.apps) == 1000
    assert apps.calls <= 4500
    run(fleet, clock, 3600)
    spent = apps.calls
    began = clock.now
    apps.release("app-777", "failed")
    told = run(fleet, clock, 300)
    assert [(app, kind) for _, app, kind in told] == [("app-777", "release-failed")]
    assert told[0][0] - began <= 65
    assert apps.calls - spent <= 4500 * 300 / 3600 + BURST
    assert apps.calls <= 2 * 4500 + 4500 * 300 / 3600


def test_a_hint_is_followed_at_once_and_a_hundred_hints_are_one_look() -> None:
    apps, clock = Apps(*[f"app-{n}" for n in range(1000)]), Clock()
    fleet, _ = fleet_of(apps, clock)
    run(fleet, clock, 3600)
    apps.release("app-9", "failed")
    before = apps.asked["releases"]
    for _ in range(100):
        fleet.hint("app-9")
    fleet.hint("nobody")
    began = clock.now
    told = run(fleet, clock, 5)
    assert [(app, kind) for _, app, kind in told] == [("app-9", "release-failed")]
    assert told[0][0] - began <= 5
    assert apps.asked["releases"] - before <= 5 * 4500 / 3600 + BURST


def test_a_crash_that_no_release_tells_of_is_seen_by_the_round() -> None:
    apps, clock = Apps(*[f"app-{n}" for n in range(50)]), Clock()
    fleet, _ = fleet_of(apps, clock)
    run(fleet, clock, 600)
    apps.crash("app-33")
    began = clock.now
    told = run(fleet, clock, 300)
    assert [(app, kind) for _, app, kind in told] == [("app-33", "dyno-crashed")]
    assert told[0][0] - began <= 120


def test_a_pending_release_is_followed_to_its_end_without_the_list_showing_it() -> None:
    apps, clock = Apps(*[f"app-{n}" for n in range(300)]), Clock()
    fleet, _ = fleet_of(apps, clock)
    run(fleet, clock, 3000)
    apps.release("app-7", "pending")
    run(fleet, clock, 200)
    assert fleet.pressure().following == 1
    apps.end("app-7", "failed")
    began = clock.now
    told = run(fleet, clock, 120)
    assert [(app, kind) for _, app, kind in told] == [("app-7", "release-failed")]
    assert told[0][0] - began <= 65
    assert fleet.pressure().following == 0


def test_what_fails_before_an_apps_first_look_is_news_and_what_failed_before_the_watch_is_not() -> (
    None
):
    apps, clock = Apps(*[f"app-{n}" for n in range(200)]), Clock()
    apps.release("app-5", "failed")
    fleet, _ = fleet_of(apps, clock)
    told = run(fleet, clock, 2)
    late = "app-0"  # the last of the first round
    assert fleet.pressure().unseen > 150
    apps.release(late, "failed")
    told += run(fleet, clock, 1500)
    assert [(app, kind) for _, app, kind in told] == [(late, "release-failed")]


def test_what_the_platform_refuses_for_its_limit_empties_the_budget() -> None:
    apps, clock = Apps("a"), Clock()
    fleet, budget = fleet_of(apps, clock)
    apps.refuse = 429
    run(fleet, clock, 30)
    assert apps.calls == 1
    assert budget.tokens < 0
    apps.refuse = 0
    run(fleet, clock, 300)
    assert fleet.blind == {}
    apps.rate_limit_remaining = 10  # who ships has used up the rest
    asked = apps.calls
    run(fleet, clock, 300)
    assert apps.calls - asked <= 10


def test_a_flood_of_hints_stays_within_the_budget_and_is_told_as_back_pressure() -> None:
    apps, clock = Apps(*[f"app-{n}" for n in range(500)]), Clock()
    fleet, _ = fleet_of(apps, clock)
    run(fleet, clock, 2400)
    asked = apps.calls
    for name in fleet.apps:
        fleet.hint(name)
    run(fleet, clock, 60)
    assert apps.calls - asked <= BURST + 60 * 4500 / 3600
    pressure = fleet.pressure()
    assert pressure.behind
    assert pressure.oldest == pytest.approx(60, abs=5)
    assert pressure.told.startswith(f"behind: {pressure.waiting} apps wait to be looked at")
    run(fleet, clock, 1200)
    assert fleet.pressure().told == "nothing waits"


def test_an_app_that_cannot_be_looked_at_is_named_and_holds_nobody_up() -> None:
    apps, clock = Apps("a", "b", "c"), Clock()
    fleet, _ = fleet_of(apps, clock)
    run(fleet, clock, 60)
    apps.away = {"b"}
    apps.crash("c")
    assert [app for _, app, _ in run(fleet, clock, 60)] == ["c"]
    assert set(fleet.blind) == {"b"}
    apps.away = set()
    run(fleet, clock, 60)
    assert fleet.blind == {}


def test_an_app_that_is_gone_is_forgotten_and_a_new_one_is_watched() -> None:
    apps, clock = Apps("a", "b"), Clock()
    fleet, _ = fleet_of(apps, clock)
    run(fleet, clock, 60)
    apps.remove("b")
    run(fleet, clock, 120)
    assert fleet.apps == ("a",)


def watched(apps: Apps, ledger: Ledger, seconds: float, **more: object) -> Watched:
    clock = Clock()
    said: list[str] = []
    at = more.pop("at", None)

    def sleep(duration: float) -> None:
        clock.sleep(duration)
        if callable(at):
            at(clock.now)

    found = look_on(
        apps, more.get("names", ["a"]), ledger=ledger, seconds=seconds, every=5,
        calls_per_hour=3600, say=said.append, clock=clock, sleep=sleep,
    )  # fmt: skip
    jsonschema.validate(found.as_json(), json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert len(said) == sum(1 + (c["gone_at"] is not None) for c in found.changes)
    return found


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    from truegreen.state import locate

    with Ledger.open(locate(tmp_path)) as opened:
        yield opened


def test_a_watch_at_which_nothing_happens_ends_well(ledger: Ledger) -> None:
    found = watched(Apps("a"), ledger, 60)
    assert (found.exit_code, found.changes) == (0, [])
    assert found.looks >= 10


def test_a_watch_keeps_what_changed_in_the_ledger(ledger: Ledger) -> None:
    apps = Apps("a")

    def at(now: float) -> None:
        apps.crash("a", "crashed" if 20 < now < 40 else "up")

    found = watched(apps, ledger, 60, at=at)
    assert found.exit_code == 1
    assert [change["kind"] for change in found.changes] == ["dyno-crashed"]
    assert found.changes[0]["gone_at"] is not None
    kept = [record.body["gone"] for record in ledger.records(kind="watch")]
    assert kept == [False, True]


def test_apps_whose_turn_did_not_come_are_not_quiet_ones(ledger: Ledger) -> None:
    found = watched(Apps(*[f"app-{n}" for n in range(2000)]), ledger, 30, names=None)
    missed = found.as_json()["not_seen"]
    assert (found.exit_code, found.looks > 0, len(missed) > 1000) == (3, True, True)
    assert missed[0]["why"] == "its turn did not come"


def test_a_watch_that_could_not_look_is_not_a_quiet_one(ledger: Ledger) -> None:
    apps = Apps("a")
    apps.away = {"a"}
    found = watched(apps, ledger, 30)
    assert (found.exit_code, found.looks) == (3, 0)
    assert found.as_json()["not_seen"] == [{"app": "a", "why": "no answer"}]
