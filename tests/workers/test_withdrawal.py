"""Withdrawing a job that waits: who may, what becomes of the line, and what others see of it."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result
from job_orders import order, sql

import truegreen
from truegreen.cli.ship import command as ship
from truegreen.errors import Refused, UsageError
from truegreen.ship.holder import Holder
from truegreen.ship.progress import Nobody
from truegreen.state import Location
from truegreen.workers.follow import EndedThere, follow
from truegreen.workers.job import Ending, Job
from truegreen.workers.order import UNDERSTOOD
from truegreen.workers.queue import Queue
from truegreen.workers.withdrawal import LONGEST, Withdrawal, check, one_line

SCHEMA = Path(truegreen.__file__).parent / "outputs" / "schemas" / "job.json"
WORKER = Holder("w", "w@host", 1, "")


def take(queue: Queue) -> Job | None:
    return queue.take(WORKER, UNDERSTOOD)


def taken(queue: Queue) -> Job:
    job = take(queue)
    assert job is not None
    return job


def withdraw(
    queue: Queue, number: int, why: str = "wrong branch", app: str = "shop", *, stop: bool = False
) -> Withdrawal:
    return check(queue.withdraw(number, app, "ada@laptop", why, stop=stop), number, app)


def followed(queue: Queue, number: int, location: Location) -> EndedThere:
    with pytest.raises(EndedThere) as ended:
        follow(lambda: Queue.open(location), number, "shop", location,
               tell=lambda _: None, watcher=Nobody())  # fmt: skip
    return ended.value


def test_it_is_out_of_the_line_and_the_rest_keeps_its_order(
    queue: Queue, location: Location
) -> None:
    first, second, third = (queue.enqueue(order(commit=sign * 40)) for sign in "abc")
    other = queue.enqueue(order("other"))
    gone = withdraw(queue, first)
    assert gone.told == f"job {first} is withdrawn: shop, aaaaaaaa"
    standing = queue.standing(third)
    assert standing is not None
    assert standing.before == 1
    job = taken(queue)
    assert job.id == second
    assert taken(queue).id == other
    queue.end(job, Ending(0, "green", 1))
    assert taken(queue).id == third
    assert take(queue) is None
    ended = followed(queue, first, location)
    assert ended.exit_code == 4, "nothing was changed"
    assert ended.message == f"job {first} was withdrawn by ada@laptop: wrong branch"


def test_who_and_why_stand_in_the_table_and_in_the_document(
    queue: Queue, location: Location
) -> None:
    job = withdraw(queue, queue.enqueue(order())).job
    row = "SELECT state, verdict, owner, note, run, exit_code FROM job"
    assert sql(location, row) == [("ended", "withdrawn", "ada@laptop", "wrong branch", None, 4)]
    document = job.as_json()
    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert document["withdrawn"]["by"] == "ada@laptop"
    assert document["withdrawn"]["reason"] == "wrong branch"


def test_withdrawing_twice_says_who_did_it_first(queue: Queue) -> None:
    number = queue.enqueue(order())
    first = withdraw(queue, number)
    again = withdraw(queue, number, "another reason")
    assert (again.now, again.job) == (False, first.job)
    assert again.told == f"job {number} was withdrawn before, by ada@laptop: wrong branch"


def test_one_that_is_carried_out_is_refused_with_how_to_stop_it(queue: Queue) -> None:
    number = queue.enqueue(order())
    job = taken(queue)
    with pytest.raises(Refused, match="w@host ships it, attempt 1") as refused:
        withdraw(queue, number)
    assert f"ship --withdraw {number} --stop" in refused.value.hint
    assert queue.beat([job]) == ()
    assert queue.end(job, Ending(0, "green", 1))
    with pytest.raises(UsageError, match=r"has ended \(green\)"):
        withdraw(queue, number)


def test_one_that_is_carried_out_ends_with_the_claim_on_it_when_it_is_to_be_stopped(
    queue: Queue, location: Location
) -> None:
    number = queue.enqueue(order())
    later = queue.enqueue(order(commit="b" * 40))
    job = taken(queue)
    gone = withdraw(queue, number, stop=True)
    assert gone.told == f"job {number} is withdrawn: shop, aaaaaaaa; w@host stops its ship"
    ended = followed(queue, number, location)
    assert ended.exit_code == 5, "something may have been changed"
    assert "by ada@laptop: wrong branch; w@host stops its ship" in ended.message
    assert queue.beat([job]) == ((job, gone.job),), "what its worker hears"
    assert not queue.end(job, Ending(0, "green", 1))
    assert not queue.hand_back(job, "stopped")
    queue.progress(job, '[["verify", "ok", ""]]')
    assert withdraw(queue, number, stop=True).told.startswith(f"job {number} was withdrawn before")
    assert taken(queue).id == later
    assert queue.take_over() == ()


def test_one_that_waits_is_withdrawn_by_stop_as_without(queue: Queue) -> None:
    gone = withdraw(queue, queue.enqueue(order()), stop=True)
    assert (gone.now, gone.shipping, gone.job.exit_code) == (True, "", 4)


def test_one_that_was_handed_back_ends_as_something_that_was_begun(
    queue: Queue, location: Location
) -> None:
    number = queue.enqueue(order())
    later = queue.enqueue(order(commit="b" * 40))
    queue.hand_back(taken(queue), "the worker was stopped")
    withdraw(queue, number)
    ended = followed(queue, number, location)
    assert ended.exit_code == 5
    assert "once a worker had begun it" in ended.message
    assert "truegreen verify" in ended.hint
    assert taken(queue).id == later


def test_unknown_ones_and_those_of_another_app_are_left_alone(queue: Queue) -> None:
    number = queue.enqueue(order("other"))
    with pytest.raises(UsageError, match="there is no job 4711"):
        withdraw(queue, 4711)
    with pytest.raises(UsageError, match="is of other, not of shop"):
        withdraw(queue, number)
    assert taken(queue).id == number


def test_a_follower_hears_of_it_at_once(queue: Queue, location: Location) -> None:
    number = queue.enqueue(order())
    with Queue.open(location) as follower, Queue.open(location) as idle:
        follower.listen_to(number)
        idle.listen()
        withdraw(queue, number)
        assert follower.wait(5)
        assert idle.wait(5), "what was behind it may be first now"


def test_of_withdrawing_and_taking_exactly_one_wins(location: Location) -> None:
    """Forty times at once: the job is either shipped or withdrawn, and never both or neither."""
    with Queue.open(location) as queue, Queue.open(location) as other:
        with ThreadPoolExecutor(2) as pool:
            for turn in range(40):
                number = queue.enqueue(order(f"app-{turn}"))
                start = threading.Barrier(2)

                def withdrawing(turn: int = turn, number: int = number,
                                start: threading.Barrier = start) -> bool:  # fmt: skip
                    start.wait()
                    found = queue.withdraw(number, f"app-{turn}", "ada", "why")
                    return found is not None and found.now

                def taking(start: threading.Barrier = start) -> Job | None:
                    start.wait()
                    return take(other)

                one, two = pool.submit(withdrawing), pool.submit(taking)
                gone, job = one.result(20), two.result(20)
                assert gone != (job is not None), turn
                standing = queue.standing(number)
                assert standing is not None
                assert standing.job.state == ("ended" if gone else "running")
                if job is not None:
                    assert other.end(job, Ending(0, "green", 1))
        assert take(queue) is None


def test_the_verb_says_what_it_did_and_ends_as_its_words_say(
    queue: Queue, location: Location, shop: str
) -> None:
    first, second = queue.enqueue(order()), queue.enqueue(order())

    def run(number: int, *options: str) -> Result:
        return CliRunner().invoke(ship, [shop, "--withdraw", str(number), *options])

    assert isinstance(run(first).exception, UsageError), "without a reason"
    job = taken(queue)
    assert isinstance(run(first, "--reason", "why").exception, Refused)
    assert queue.end(job, Ending(0, "green", 1))
    done = run(second, "--reason", "not reviewed", "--json")
    jsonschema.validate(json.loads(done.stdout), json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert done.stderr == f"job {second} is withdrawn: shop, aaaaaaaa\n"
    again = run(second, "--reason", "other", "--json")
    assert (again.exception, again.stdout) == (None, done.stdout)
    assert "was withdrawn before, by" in again.stderr
    assert ": not reviewed\n" in again.stderr


def test_many_who_withdraw_one_job_at_once_do_it_once(location: Location) -> None:
    with Queue.open(location) as queue:
        number = queue.enqueue(order())

    def work(name: str) -> tuple[bool, str]:
        with Queue.open(location) as own:
            found = own.withdraw(number, "shop", name, f"{name}'s reason")
            assert found is not None
            return found.now, found.job.owner

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, "abcd"))
    assert sum(now for now, _ in found) == 1
    assert len({owner for _, owner in found}) == 1


def test_a_worker_and_a_runner_of_the_version_before_see_a_job_that_ended(
    queue: Queue, location: Location
) -> None:
    """With the statements of the version before: nothing new has to be known for it."""
    number = queue.enqueue(order())
    withdraw(queue, number)
    first_of_each_app = "SELECT DISTINCT ON (place) id FROM job WHERE state = 'waiting'"
    assert sql(location, first_of_each_app) == []
    assert sql(location, "SELECT job FROM job_place") == [(None,)]
    seen = sql(location, "SELECT state, run, exit_code, message <> '' FROM job")
    assert seen == [("ended", None, 4, True)], "what its follower ends with"
    columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'job'"
    assert sql(location, columns) == [(27,)]
    assert sql(location, "SELECT version FROM room WHERE name = 'job'") == [(1,)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("wrong branch", "wrong branch"),
        ("two\nlines\x1b[2J and \u202e signs", "two lines [2J and signs"),
        ("not UTF-8: \udcff", "not UTF-8:"),
        ("x" * LONGEST, "x" * LONGEST),
    ],
)
def test_a_reason_is_one_line_that_no_terminal_obeys(given: str, kept: str) -> None:
    assert one_line(given) == kept


@pytest.mark.parametrize("given", ["", " \n\t", "\x1b", "x" * (LONGEST + 1)])
def test_no_reason_and_one_without_end_are_refused(given: str) -> None:
    with pytest.raises(UsageError):
        one_line(given)
