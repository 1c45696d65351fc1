"""A run that others can follow: what they see, and that it never costs the run anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

import pytest

from truegreen.model import Evidence, Status
from truegreen.release.trailer import PREFIX
from truegreen.ship import broadcast as room
from truegreen.ship.broadcast import Broadcast
from truegreen.ship.holder import Holder
from truegreen.ship.lease import Lease, lease_of
from truegreen.ship.leases import Leases
from truegreen.ship.progress import Nobody, StepState
from truegreen.ship.underway import Beginning, Progress, Underway, UnderwayRuns
from truegreen.state import Location, StateError

APP = "http://api.example/apps/raptor"


@pytest.fixture
def where(location: Location) -> Location:
    return location  # SQLite, then Postgres


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "EVERY", 0.01)
    monkeypatch.setattr(room, "AGAIN", 0.01)


def lease(where: Location) -> AbstractContextManager[Lease]:
    return lease_of(lambda: Leases.open(where), APP, "c" * 40)


def made(where: Location, opened: Callable[[], UnderwayRuns] | None = None) -> Broadcast:
    return Broadcast(
        Nobody(), opened or (lambda: UnderwayRuns.open(where)),
        kind="ship", commit="c" * 40, command="truegreen ship", head=lambda: 7,
    )  # fmt: skip


@contextmanager
def reading(where: Location) -> Iterator[UnderwayRuns]:
    runs = UnderwayRuns.open(where)
    yield runs
    runs.close()


def seen(where: Location, wanted: Callable[[Underway], bool]) -> Underway:
    until = time.monotonic() + 20
    with reading(where) as runs:
        while time.monotonic() < until:
            found = runs.look(APP)
            if found is not None and wanted(found):
                return found
            time.sleep(0.01)
    raise AssertionError("it was never seen")


def test_who_follows_sees_step_output_and_evidence_and_then_the_end(where: Location) -> None:
    one = made(where)
    one.step("gates", StepState.DONE, "")
    with one.under(lease(where)):
        one.step("release", StepState.RUNNING, "v7")
        one.output("release", "Running upgrade 0045 -> 0046")
        one.output("release", PREFIX + "{}")
        at = datetime(2026, 6, 21, tzinfo=UTC)
        one.evidence(Evidence("release.current", Status.FAIL, "v6", "v7", "release v7", at))
        found = seen(where, lambda run: bool(run.progress.body and run.progress.body["checks"]))
        assert (found.ended, found.beginning.after) == (False, 7)
        assert found.beginning.owner == Holder.here().owner
        assert (found.progress.step, found.progress.step_state) == ("release", "running")
        body = found.progress.body or {}
        assert [event["step"] for event in body["events"]] == ["gates", "release"]
        assert body["output"] == {
            "step": "release", "heard": 1, "lines": ["Running upgrade 0045 -> 0046"],
        }  # fmt: skip
        assert [(one["name"], one["status"]) for one in body["checks"]] == [
            ("release.current", "fail")
        ]
        with reading(where) as runs:
            assert [run.beginning.app for run in runs.open_ones()] == [APP]
    with reading(where) as runs:
        ended = runs.look(APP)
        assert ended is not None
        assert ended.ended
        assert runs.open_ones() == ()
        assert runs.named("raptor") == ended
        assert runs.named("apto") is None


def test_an_error_passes_through_and_the_run_has_ended(where: Location) -> None:
    with pytest.raises(ZeroDivisionError), made(where).under(lease(where)):
        raise ZeroDivisionError
    assert seen(where, lambda run: run.ended)


def test_a_database_that_gives_no_answer_costs_the_run_nothing(where: Location) -> None:
    asked = []

    def away() -> UnderwayRuns:
        asked.append(1)
        raise StateError("the database gave no connection")

    began = time.monotonic()
    one = made(where, away)
    with one.under(lease(where)):
        one.step("build", StepState.RUNNING, "")
    assert asked
    assert time.monotonic() - began < room.AT_THE_END


def test_one_that_hangs_holds_the_end_for_a_moment_only(
    where: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "AT_THE_END", 0.05)
    done = []

    def hangs() -> UnderwayRuns:
        while not done:
            time.sleep(0.01)
        raise StateError("late")

    with made(where, hangs).under(lease(where)):
        pass
    done.append(1)


def test_a_database_that_was_away_is_told_when_it_is_back(where: Location) -> None:
    failures = [StateError("away"), StateError("away")]

    def opened() -> UnderwayRuns:
        if failures:
            raise failures.pop()
        return UnderwayRuns.open(where)

    one = made(where, opened)
    with one.under(lease(where)):
        one.step("build", StepState.RUNNING, "")
        assert seen(where, lambda run: run.progress.step == "build")


def test_a_run_whose_app_another_took_over_writes_nothing_more(where: Location) -> None:
    with reading(where) as runs:
        first = Beginning(APP, "one", "kim@laptop", "ship", "c" * 40, "truegreen ship", 0)
        runs.begin(first)
        before = runs.revisions()[APP]
        runs.begin(Beginning(APP, "two", "sam@ci", "ship", "d" * 40, "truegreen ship", 0))
        assert not runs.tell(APP, "one", Progress("build"), ended=True)
        found = runs.look(APP)
        assert found is not None
        assert (found.beginning.holder, found.ended) == ("two", False)
        assert runs.revisions()[APP] > before


def test_what_is_told_does_not_grow_without_end(where: Location) -> None:
    one = made(where)
    for number in range(500):
        one.output("release", f"{number} " + "x" * 1000)
        one.step("lease", StepState.RUNNING, "y" * 1000)
    with one.under(lease(where)):
        pass
    found = seen(where, lambda run: run.ended)
    body = found.progress.body or {}
    assert (len(body["output"]["lines"]), body["output"]["heard"]) == (40, 500)
    assert len(body["events"]) == 200
    assert max(len(line) for line in body["output"]["lines"]) == 300
