"""A worker's own decisions, with children that do what the test says and a clock that runs fast."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from job_orders import cut_connections, order, sql
from workers_yard import until_true

from truegreen.state import Location
from truegreen.workers.child import Child
from truegreen.workers.job import Ending, Job
from truegreen.workers.queue import Queue
from truegreen.workers.worker import Worker

GREEN = Ending(0, "green", 1)


class FakeProcess:
    """What a worker knows of a process. ``end`` is its death."""

    def __init__(self) -> None:
        self.sentinel, self._alive = os.pipe()
        self.exitcode: int | None = None

    def end(self, code: int) -> None:
        self.exitcode = code
        os.close(self._alive)

    def is_alive(self) -> bool:
        return self.exitcode is None

    def join(self, timeout: float) -> None:
        os.close(self.sentinel)


class Crew:
    """A worker in a thread, and the children that it launched, by job."""

    def __init__(
        self,
        location: Location,
        clock: Callable[[], float] = lambda: time.monotonic() * 40,
        **how: Any,
    ) -> None:
        self.children: dict[int, tuple[Child, Any]] = {}
        self.said: list[str] = []
        self.worker = Worker(
            location, tell=self.said.append, launch=self._launch, clock=clock, **how
        )
        self.thread = threading.Thread(target=self.worker.run)
        self.thread.start()

    def _launch(self, job: Job, _: Path) -> Child:
        ours, theirs = Pipe()
        child = Child(FakeProcess(), ours)  # type: ignore[arg-type]
        self.children[job.id] = (child, theirs)
        return child

    def launched(self, number: int) -> Any:
        """The child's end of the pipe, once it was launched."""
        until_true(lambda: number in self.children, 20, lambda: str(self.said))
        return self.children[number][1]

    def ends(self, number: int, ending: Ending | None, code: int = 0) -> None:
        child, theirs = self.children.pop(number)
        if ending is not None:
            theirs.send(("ended", ending))
        theirs.close()
        child.process.end(code)  # type: ignore[attr-defined]

    def hear(self, part: str) -> None:
        until_true(lambda: any(part in one for one in self.said), 20, lambda: str(self.said))

    def gone(self) -> None:
        self.thread.join(20)
        assert not self.thread.is_alive(), self.said


@pytest.fixture
def crew(location: Location) -> Iterator[Callable[..., Crew]]:
    crews: list[Crew] = []

    def make(**how: Any) -> Crew:
        crews.append(Crew(location, **how))
        return crews[-1]

    yield make
    for one in crews:
        one.worker.stop() if one.thread.is_alive() else None
        for number in list(one.children):
            one.ends(number, None, -9)
        one.gone()


def state(queue: Queue, number: int) -> Job:
    standing = queue.standing(number)
    assert standing is not None
    return standing.job


def test_it_takes_as_many_as_it_has_room_for_and_writes_down_what_they_say(
    queue: Queue, crew: Callable[..., Crew]
) -> None:
    numbers = [queue.enqueue(order(f"app-{one}")) for one in range(3)]
    one = crew(slots=2)
    first = one.launched(numbers[0])
    one.launched(numbers[1])
    first.send(("step", "build", "running", "aaaaaaaa"))
    until_true(lambda: state(queue, 1).steps == [("build", "running", "aaaaaaaa")], 20,
               lambda: str(state(queue, 1)))  # fmt: skip
    assert state(queue, 3).state == "waiting"
    assert [(seen.slots, seen.busy) for seen in queue.workers()] == [(2, 2)]
    one.ends(1, GREEN)
    one.launched(3)
    assert state(queue, 1).verdict == "green"


def test_a_child_that_dies_without_a_word_is_not_taken_for_an_end(
    queue: Queue, crew: Callable[..., Crew]
) -> None:
    number = queue.enqueue(order())
    one = crew()
    one.launched(number)
    one.ends(number, None, -9)
    one.hear("handed back, the process that shipped it ended with -9")
    one.launched(number)
    assert (state(queue, number).attempt, state(queue, number).lost) == (2, 1)


def test_a_claim_that_is_somebody_elses_stops_the_ship_and_ends_nothing(
    queue: Queue, location: Location, crew: Callable[..., Crew]
) -> None:
    number = queue.enqueue(order())
    one = crew()
    theirs = one.launched(number)
    sql(location, "UPDATE job SET worker = 'other', attempt = attempt + 1 WHERE id = %s", number)
    assert theirs.poll(20)
    assert theirs.recv() == "stop"
    one.ends(number, GREEN)
    one.worker.stop()
    one.gone()
    assert (state(queue, number).state, state(queue, number).worker) == ("running", "other")
    assert not any("green" in said for said in one.said)


def test_a_job_that_is_withdrawn_while_it_is_shipped_is_stopped_and_the_next_one_begun(
    queue: Queue, crew: Callable[..., Crew]
) -> None:
    """At once: by this worker's clock, the next heartbeat is never due."""
    number, later = queue.enqueue(order()), queue.enqueue(order("other"))
    one = crew(clock=lambda: 0.0)
    theirs = one.launched(number)
    until_true(lambda: [seen.busy for seen in queue.workers()] == [1], 20, lambda: str(one.said))
    queue.withdraw(number, "shop", "ada@laptop", "wrong branch", stop=True)
    assert theirs.poll(20)
    assert theirs.recv() == "stop"
    one.hear("was withdrawn by ada@laptop: wrong branch;")
    one.ends(number, Ending(5, message="interrupted", again=True))
    one.launched(later)
    assert (state(queue, number).state, state(queue, number).exit_code) == ("ended", 5)


def test_told_to_stop_it_lets_ships_end_and_then_interrupts_them(
    queue: Queue, crew: Callable[..., Crew]
) -> None:
    numbers = [queue.enqueue(order(f"app-{one}")) for one in range(3)]
    one = crew(slots=2, grace=40)  # a second of ours
    pipes = [one.launched(number) for number in numbers[:2]]
    one.worker.stop()
    assert not pipes[0].poll(0.3)
    one.ends(numbers[0], GREEN)
    assert pipes[1].poll(20), "its grace is over"
    assert pipes[1].recv() == "stop"
    one.ends(numbers[1], Ending(5, message="interrupted", again=True))
    one.gone()
    ends = [(state(queue, number).state, state(queue, number).lost) for number in numbers]
    assert ends == [("ended", 0), ("waiting", 0), ("waiting", 0)]
    assert queue.workers() == ()


def test_told_twice_it_interrupts_at_once(queue: Queue, crew: Callable[..., Crew]) -> None:
    number = queue.enqueue(order())
    one = crew(grace=1e6)
    theirs = one.launched(number)
    one.worker.stop()
    one.worker.stop()
    assert theirs.poll(20)
    one.ends(number, Ending(5, message="interrupted", again=True))
    one.gone()


@contextmanager
def no_connections(location: Location) -> Iterator[None]:
    """Nobody gets a connection, and those that were there are cut."""
    assert location.url is not None
    name = urlsplit(location.url.reveal()).path.lstrip("/")
    with psycopg.connect(location.url.reveal(), dbname="postgres", autocommit=True) as db:
        db.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        yield
        db.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')


@contextmanager
def ended_while_away(location: Location, crew: Callable[..., Crew]) -> Iterator[tuple[Crew, int]]:
    """A crew and its job, which ended green while the database is away; it is back at the end."""
    with Queue.open(location) as queue:
        number = queue.enqueue(order())
    one = crew()
    one.launched(number)
    with no_connections(location):
        one.ends(number, GREEN)
        one.hear("the database is away, ships go on")
        yield one, number


def test_an_end_that_cannot_be_written_down_is_written_when_the_database_is_back(
    location: Location, crew: Callable[..., Crew]
) -> None:
    with ended_while_away(location, crew) as (one, number):
        time.sleep(0.2)
    one.hear(f"job {number}: green")
    one.hear("the database is back")
    with Queue.open(location) as queue:
        assert state(queue, number).verdict == "green"


def test_a_worker_that_is_stopped_does_not_wait_for_a_database_for_ever(
    location: Location, crew: Callable[..., Crew]
) -> None:
    with ended_while_away(location, crew) as (one, _):
        one.worker.stop()
        one.worker.stop()
        one.gone()


def test_newer_tables_of_the_queue_itself_end_it_though_it_cannot_write(
    queue: Queue, location: Location, crew: Callable[..., Crew]
) -> None:
    number = queue.enqueue(order())
    one = crew()
    one.launched(number)
    sql(location, "UPDATE room SET version = version + 1 WHERE name = 'job'")
    cut_connections(location)
    one.hear("this worker takes no more jobs")
    one.ends(number, GREEN)
    one.gone()
    left = sql(location, "SELECT state FROM job WHERE id = %s", number)
    assert left == [("running",)], "until its heartbeat is missed"


def test_newer_tables_end_it_and_the_job_is_for_somebody_else(
    queue: Queue, crew: Callable[..., Crew]
) -> None:
    number = queue.enqueue(order())
    one = crew()
    one.launched(number)
    newer = Ending(2, message="the ledger is of a newer TrueGreen", again=True, outdated=True)
    one.ends(number, newer)
    one.gone()
    assert "the ledger is of a newer TrueGreen; this worker takes no more jobs" in one.said
    assert state(queue, number).state == "waiting"
