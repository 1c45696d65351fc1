"""Following a job: what is told on the way, and that who follows matters nothing to the ship."""

from __future__ import annotations

import threading
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from job_orders import cut_connections, order

from truegreen.errors import Interrupted, Unverified, UsageError
from truegreen.ledger import Ledger, Record
from truegreen.ship.holder import Holder
from truegreen.ship.progress import Nobody
from truegreen.state import Location, StateError
from truegreen.workers.follow import AWAY, EndedThere, Followed, follow, tells_of
from truegreen.workers.job import Ending, Job
from truegreen.workers.order import UNDERSTOOD
from truegreen.workers.queue import Queue

WORKER = Holder("w", "w@host", 1, "")
DOCUMENT = {"verdict": "red", "sentence": "shop serves v3", "app": "shop"}


class Steps(Nobody):
    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def step(self, name: str, state: str, text: str) -> None:
        self.seen.append((name, str(state)))


class Follower:
    """``follow`` in a thread; ``told`` is what was said so far."""

    def __init__(self, location: Location, number: int, app: str = "shop", **how: Any) -> None:
        self.told: list[str] = []
        self.steps = Steps()
        self.end: Followed | BaseException | None = None
        self.news = threading.Condition()

        def tell(text: str) -> None:
            with self.news:
                self.told.append(text)
                self.news.notify_all()

        def run() -> None:
            try:
                self.end = follow(
                    lambda: Queue.open(location), number, app, location,
                    tell=tell, watcher=self.steps, **how,
                )  # fmt: skip
            except BaseException as error:
                self.end = error

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def hear(self, part: str) -> None:
        with self.news:
            assert self.news.wait_for(lambda: any(part in one for one in self.told), 20), self.told

    def ended(self) -> Any:
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.end


def take(queue: Queue) -> Job:
    job = queue.take(WORKER, UNDERSTOOD)
    assert job is not None
    return job


def recorded(location: Location) -> int:
    with Ledger.open(location) as ledger:
        body = {**DOCUMENT, "committed_at": "2026-11-23T09:00:00Z"}
        return ledger.append("ship", app="shop", commit="a" * 40, verdict="red", body=body).id


@pytest.mark.parametrize(
    ("ending", "of"),
    [
        ((0, "green"), {"verdict": "red"}),
        ((0, "red"), {"verdict": "red"}),
        ((0, "green"), {"app": "other"}),
        ((0, "green"), {"commit": "b" * 40}),
        ((0, "green"), {"kind": "verify"}),
        ((None, "green"), {}),
    ],
)
def test_a_record_of_another_end_is_no_verdict(
    ending: tuple[int | None, str], of: dict[str, str]
) -> None:
    """The exit code is the document's own verdict, and the job must say the same."""
    told: dict[str, Any] = {"kind": "ship", "app": "shop", "commit": "a" * 40, "verdict": "green"}
    nothing: dict[str, Any] = {one.name: None for one in fields(Job)}
    ended = {"app": "shop", "commit": "a" * 40, "exit_code": 0, "verdict": "green"}
    right = Job(**nothing | ended)

    def record(values: dict[str, Any]) -> Record:
        body = {**DOCUMENT, "verdict": values["verdict"]}
        return Record(7, datetime.now(UTC), body=body, previous="", hash="", **values)

    assert tells_of(record(told), right)
    assert not tells_of(record(told | of), replace(right, exit_code=ending[0], verdict=ending[1]))


def test_it_tells_where_the_job_is_and_ends_as_the_ship_did(
    queue: Queue, location: Location
) -> None:
    number = queue.enqueue(order())
    follower = Follower(location, number)
    follower.hear("job 1 waits: no worker is alive")
    job = take(queue)
    follower.hear("job 1: w@host ships it")
    queue.progress(job, '[["gates", "running", ""], ["gates", "done", "3 gates"]]')
    queue.hand_back(job, "the worker was stopped")
    follower.hear("job 1 waits again (the worker was stopped)")
    job = take(queue)
    follower.hear("job 1: w@host ships it, attempt 2")
    queue.progress(job, '[["gates", "running", ""]]')
    queue.end(job, Ending(1, "red", recorded(location)))
    assert follower.ended() == Followed(DOCUMENT, 1)
    assert follower.steps.seen[-1] == ("gates", "running")


def test_a_ship_without_a_verdict_ends_with_the_workers_words_and_code(
    queue: Queue, location: Location
) -> None:
    number = queue.enqueue(order())
    queue.end(take(queue), Ending(4, message="the freeze holds", hint="wait until Monday"))
    error = Follower(location, number).ended()
    assert isinstance(error, EndedThere)
    assert (error.exit_code, str(error)) == (4, "the freeze holds (wait until Monday)")


def test_an_end_without_its_record_is_not_taken_for_one(queue: Queue, location: Location) -> None:
    number = queue.enqueue(order())
    queue.end(take(queue), Ending(0, "green", 4711))
    error = Follower(location, number).ended()
    assert isinstance(error, Unverified)
    assert "the ledger has no record 4711" in str(error)


def test_a_connection_that_is_cut_is_made_again(queue: Queue, location: Location) -> None:
    number = queue.enqueue(order())
    follower = Follower(location, number)
    follower.hear("waits")
    assert cut_connections(location) >= 2
    follower.hear("the database is away, asking again")
    with Queue.open(location) as again:
        again.end(take(again), Ending(1, "red", recorded(location)))
    assert follower.ended() == Followed(DOCUMENT, 1)


def test_a_database_that_stays_away_is_said_and_the_ship_goes_on(location: Location) -> None:
    passed = [0.0]

    def gone() -> Queue:
        raise StateError("the database gave no connection")

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    with pytest.raises(StateError, match="job 7 cannot be followed") as error:
        follow(gone, 7, "shop", location, tell=lambda _: None, watcher=Nobody(), sleep=sleep,
               clock=lambda: passed[0])  # fmt: skip
    assert error.value.exit_code == 3
    assert "goes on" in error.value.hint
    assert AWAY <= passed[0] < AWAY + 2


def test_ctrl_c_ends_the_following_and_not_the_job(queue: Queue, location: Location) -> None:
    number = queue.enqueue(order())

    class AtCtrlC(Queue):
        def wait(self, seconds: float) -> bool:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="its ship goes on") as error:
        follow(lambda: AtCtrlC.open(location), number, "shop", location,
               tell=lambda _: None, watcher=Nobody())  # fmt: skip
    assert error.value.hint == f"truegreen ship --follow {number} follows it again"
    assert take(queue).id == number


def test_patience_has_an_end_that_says_where_the_job_is(queue: Queue, location: Location) -> None:
    number = queue.enqueue(order())
    error = Follower(location, number, patience=0.0).ended()
    assert isinstance(error, Unverified)
    assert "job 1 waits: no worker is alive (truegreen board --worker); waited 0 s" in str(error)


def test_a_job_of_another_app_or_none_is_not_followed(queue: Queue, location: Location) -> None:
    number = queue.enqueue(order("other"))
    for asked, said in ((number, "is of other, not of shop"), (4711, "there is no job 4711")):
        error = Follower(location, asked).ended()
        assert isinstance(error, UsageError)
        assert said in str(error)
