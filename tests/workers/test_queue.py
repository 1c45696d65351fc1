"""The queue in a real Postgres: who gets which job, and what becomes of those whose worker went."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from job_orders import cut_connections, order, sql

from truegreen.errors import UsageError
from truegreen.ship.holder import Holder
from truegreen.state import Location, StateError, locate
from truegreen.state.postgres import PostgresDatabase
from truegreen.workers.job import Ending, Job
from truegreen.workers.order import UNDERSTOOD, Options, Understands
from truegreen.workers.queue import MOST_LOST, SECONDS, Queue, like
from truegreen.workers.tables import SCHEMA

GREEN = Ending(0, "green", 1)


def worker(name: str = "w", process: str = "") -> Holder:
    return Holder(name, f"{name}@host", 1, process)


def take(queue: Queue, by: Holder | None = None) -> Job | None:
    return queue.take(by or worker(), UNDERSTOOD)


def taken(queue: Queue, by: Holder | None = None) -> Job:
    job = take(queue, by)
    assert job is not None
    return job


def test_a_job_is_taken_once_and_ends(queue: Queue) -> None:
    number = queue.enqueue(order(options=Options(wait=5.0)))
    job = taken(queue)
    assert (job.id, job.state, job.attempt, job.owner) == (number, "running", 1, "w@host")
    assert Options.from_text(job.options).wait == 5.0
    assert take(queue) is None
    assert queue.end(job, Ending(1, "red", 7))
    standing = queue.standing(number)
    assert standing is not None
    ended = standing.job
    assert (ended.state, ended.exit_code, ended.verdict, ended.run) == ("ended", 1, "red", 7)
    assert take(queue) is None


def test_never_two_of_one_app_and_inside_an_app_in_order(queue: Queue) -> None:
    numbers = [queue.enqueue(order(commit=sign * 40)) for sign in "abc"]
    other = queue.enqueue(order("other"))
    first, second = taken(queue), taken(queue)
    assert (first.id, second.id) == (numbers[0], other)
    assert take(queue) is None
    standing = queue.standing(numbers[2])
    assert standing is not None
    assert standing.told == f"job {numbers[2]} waits: 2 of shop before it"
    queue.end(first, GREEN)
    assert taken(queue).id == numbers[1]


def test_two_environments_of_one_app_name_on_two_platforms_are_two_places(queue: Queue) -> None:
    queue.enqueue(order(place="https://one.example.com/apps/shop"))
    queue.enqueue(order(place="https://two.example.com/apps/shop"))
    assert {taken(queue).place, taken(queue).place} == {
        "https://one.example.com/apps/shop", "https://two.example.com/apps/shop",
    }  # fmt: skip


def test_the_app_that_was_served_longest_ago_comes_first(queue: Queue) -> None:
    """One team enqueues twenty ships at once; the others still get their turn in between."""
    for number in range(20):
        queue.enqueue(order("loud", f"{number:040d}"))
    for name in ("calm", "quiet"):
        queue.enqueue(order(name))
    served = []
    for _ in range(6):
        job = taken(queue)
        served.append(job.app)
        queue.end(job, GREEN)
    assert served == ["loud", "calm", "quiet", "loud", "loud", "loud"]
    queue.enqueue(order("calm"))
    assert taken(queue).app == "calm"


def test_many_workers_at_once_take_each_job_once_and_never_two_of_an_app(
    location: Location,
) -> None:
    with Queue.open(location) as queue:
        for number in range(120):
            queue.enqueue(order(f"app-{number % 15}", f"{number:040d}"))
    at_work: set[str] = set()
    order_of_app: dict[str, list[int]] = defaultdict(list)
    lock = threading.Lock()

    def work(name: str) -> int:
        done = 0
        with Queue.open(location) as own:
            while (job := take(own, worker(name))) is not None:
                with lock:
                    assert job.app not in at_work
                    at_work.add(job.app)
                    order_of_app[job.app].append(job.id)
                own.progress(job, '[["build", "running", ""]]')
                own.beat([job])
                with lock:
                    at_work.remove(job.app)
                assert own.end(job, GREEN)
                done += 1
        return done

    with ThreadPoolExecutor(6) as pool:
        counts = list(pool.map(work, "abcdef"))
    with Queue.open(location) as queue:
        left = []
        while (job := take(queue)) is not None:  # one may have looked while the last were locked
            left.append(job)
            queue.end(job, GREEN)
    assert sum(counts) + len(left) == 120
    for numbers in order_of_app.values():
        assert numbers == sorted(numbers)


def test_who_gives_no_sign_of_life_loses_the_job_and_can_end_it_no_more(
    queue: Queue, location: Location
) -> None:
    for name in ("shop", "other"):
        queue.enqueue(order(name))
    job = taken(queue, worker("gone"))
    assert queue.take_over() == ()
    sql(location, "UPDATE job SET beat_at = beat_at - %s WHERE id = %s", SECONDS + 1, job.id)
    assert [one.id for one in queue.take_over()] == [job.id]
    standing = queue.standing(job.id)
    assert standing is not None
    assert "waits again (gone@host went away in the middle)" in standing.told
    again = taken(queue, worker("next"))
    assert (again.id, again.attempt, again.lost) == (job.id, 2, 1), "before anything new"
    assert queue.beat([job]) == ((job, again),)
    assert not queue.end(job, GREEN)
    assert not queue.hand_back(job, "late")
    queue.progress(job, '[["build", "done", "late"]]')
    assert queue.beat([again]) == ()
    assert queue.end(again, GREEN)


def test_a_process_of_this_machine_that_is_gone_is_not_waited_for(location: Location) -> None:
    database = PostgresDatabase.open(location.url, SCHEMA)  # type: ignore[arg-type]
    queue = Queue(database, ended=lambda process: process == "gone")
    queue.enqueue(order())
    taken(queue, worker("w", "gone"))
    queue.sign(worker("w", "gone"), "1", UNDERSTOOD, 1, 1)
    assert queue.workers() == ()
    assert len(queue.take_over()) == 1
    queue.close()


def test_a_job_that_takes_every_worker_with_it_ends(queue: Queue) -> None:
    number = queue.enqueue(order())
    for _ in range(MOST_LOST):
        queue.hand_back(taken(queue), "its process ended with -9", lost=True)
    standing = queue.standing(number)
    assert standing is not None
    assert (standing.job.state, standing.job.exit_code) == ("ended", 3)
    assert "broke off 5 times, the last time: its process ended with -9" in standing.job.message
    assert take(queue) is None
    queue.enqueue(order())
    assert taken(queue).attempt == 1, "the app is free"


def test_a_job_that_was_handed_back_as_often_as_workers_were_renewed_goes_on(queue: Queue) -> None:
    queue.enqueue(order())
    for _ in range(MOST_LOST + 3):
        queue.hand_back(taken(queue), "the worker was stopped")
    assert taken(queue).lost == 0


def test_a_job_of_another_protocol_is_left_to_a_worker_that_understands_it(queue: Queue) -> None:
    number = queue.enqueue(order(protocol=2))
    later = queue.enqueue(order(commit="b" * 40))
    other = queue.enqueue(order("other"))
    old, new = Understands(1, 1), Understands(1, 2)
    assert queue.take(worker("old"), old) is not None
    assert queue.take(worker("old"), old) is None, "the later one of the app does not jump it"
    assert [job.id for job in queue.strange(old)] == [number]
    assert queue.strange(new) == ()
    standing = queue.standing(number)
    assert standing is not None
    assert "no worker is alive" in standing.told
    queue.sign(worker("old"), "0.1", old, 2, 1)
    standing = queue.standing(number)
    assert standing is not None
    assert "it is of protocol 2, and the workers alive understand 1" in standing.told
    queue.sign(worker("new"), "0.2", new, 1, 0)
    standing = queue.standing(number)
    assert standing is not None
    assert standing.told.endswith("a worker takes it soon")
    job = queue.take(worker("new"), new)
    assert job is not None
    assert job.id == number
    assert other != later


def test_a_worker_takes_only_from_the_repositories_that_it_is_for(queue: Queue) -> None:
    queue.enqueue(order("one", repository="https://git.example.com/a_b/one.git"))
    queue.enqueue(order("two", repository="https://git.example.com/axb/two.git"))
    only = [like("https://git.example.com/a_b/*")]
    job = queue.take(worker(), UNDERSTOOD, only)
    assert job is not None
    assert job.app == "one"
    assert queue.take(worker(), UNDERSTOOD, only) is None


def test_what_came_first_meanwhile_is_taken_only_from_those_repositories(
    location: Location,
) -> None:
    """The first of the app ends between the look and the lock: the next one is another's."""
    with Queue.open(location) as queue:
        queue.enqueue(order(repository="https://git.example.com/theirs.git"))
    database = PostgresDatabase.open(location.url, SCHEMA)  # type: ignore[arg-type]
    real, looks = database.write_beside, []

    class Looked:
        def __init__(self, writer: Any) -> None:
            self.run, self._rows = writer.run, writer.rows

        def rows(self, statement: str, values: Any = ()) -> Any:
            if "SKIP LOCKED" in statement:
                looks.append(statement)
                if len(looks) == 1:
                    return [("https://api.example.com/apps/shop",)]
            return self._rows(statement, values)

    @contextmanager
    def write_beside() -> Iterator[Any]:
        with real() as writer:
            yield Looked(writer)

    database.write_beside = write_beside  # type: ignore[assignment, method-assign]
    with Queue(database) as queue:
        assert queue.take(worker(), UNDERSTOOD, [like("https://git.example.com/ours/*")]) is None
    assert len(looks) == 2


def test_workers_are_seen_as_long_as_they_give_a_sign(queue: Queue, location: Location) -> None:
    queue.enqueue(order())
    for name in ("a", "b"):
        queue.sign(worker(name), "1.0", UNDERSTOOD, 2, 2)
    assert [one.owner for one in queue.workers()] == ["a@host", "b@host"]
    standing = queue.standing(1)
    assert standing is not None
    assert standing.told == "job 1 waits: all 2 workers are busy"
    sql(location, "UPDATE worker SET beat_at = beat_at - %s WHERE id = 'a'", SECONDS + 1)
    assert [one.owner for one in queue.workers()] == ["b@host"]
    queue.sign_off(worker("b"))
    assert queue.workers() == ()


def test_jobs_that_ended_long_ago_are_forgotten_when_a_worker_leaves(
    queue: Queue, location: Location
) -> None:
    for name in ("old", "new", "running"):
        queue.enqueue(order(name))
    for _ in range(2):
        queue.end(taken(queue), GREEN)
    sql(location, "UPDATE job SET ended_at = ended_at - 8000000 WHERE app = 'old'")
    sql(location, "UPDATE job SET asked_at = 0")
    queue.sign_off(worker())
    left = sql(location, "SELECT app FROM job ORDER BY id")
    assert left == [("new",), ("running",)]


def test_a_word_wakes_who_listens(queue: Queue, location: Location) -> None:
    queue.listen()
    assert not queue.wait(0.01)
    with Queue.open(location) as other:
        number = other.enqueue(order())
    assert queue.wait(5)
    with Queue.open(location) as follower:
        follower.listen_to(number)
        queue.end(taken(queue), GREEN)
        assert follower.wait(5)


def test_a_connection_that_is_cut_is_said_and_leaves_nothing_half_done(
    queue: Queue, location: Location
) -> None:
    queue.enqueue(order())
    job = taken(queue)
    cut_connections(location)
    with pytest.raises(StateError, match="the database failed"):
        queue.end(job, GREEN)
    with pytest.raises(StateError):
        queue.wait(0.01)
    with Queue.open(location) as again:
        assert again.beat([job]) == ()
        assert again.end(job, GREEN)


def test_a_worker_that_is_cut_off_in_a_transaction_holds_up_only_its_own_app(
    location: Location,
) -> None:
    with Queue.open(location) as queue:
        for name in ("shop", "other"):
            queue.enqueue(order(name))
        database = PostgresDatabase.open(location.url, SCHEMA)  # type: ignore[arg-type]
        with database.write_beside() as writer:
            writer.rows(
                "SELECT 1 FROM job_place WHERE place = ? FOR UPDATE",
                ("https://api.example.com/apps/shop",),
            )
            assert taken(queue).app == "other"
            assert take(queue) is None
        database.close()
        assert taken(queue).app == "shop"


def test_sqlite_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="workers share their jobs in a Postgres") as refused:
        Queue.open(locate(tmp_path, {}))
    assert "TRUEGREEN_DATABASE_URL=postgresql://" in refused.value.hint


def test_no_such_job_stands_nowhere(queue: Queue) -> None:
    assert queue.standing(4711) is None
