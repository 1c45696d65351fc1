"""Whole workers and runners on the embedded platform's real API: killed, renewed, cut off."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from job_orders import cut_connections, sql
from shared_postgres import SharedPostgres
from workers_yard import Yard, newer_version, yard

import truegreen.outputs
from truegreen.ledger import Ledger

pytestmark = [pytest.mark.xdist_group("whole workers"), pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, postgres: SharedPostgres) -> Iterator[Yard]:
    with yard(tmp_path_factory.mktemp("yard"), postgres.url(), apps=12, boot=0.5) as one:
        yield one


def test_a_runner_ends_as_a_ship_from_here_would(place: Yard) -> None:
    document_of = place.folder / "record.json"
    with place.worker("w1") as worker:
        done = place.run("ship", "--enqueue", "--json", "--output", f"json={document_of}")
        assert done.code == 0, done.err
        assert done.document["verdict"] == "green"
        assert done.document == json.loads(document_of.read_text())
        assert "is enqueued: app-000" in done.err
        assert "wave: the first release" in done.err
        with Ledger.open(place.location) as ledger:
            record = ledger.last(kind="ship", app="app-000")
        assert record is not None
        assert {**done.document, "committed_at": record.body["committed_at"]} == record.body

        place.commit({"release.py": "raise SystemExit(1)"})
        red = place.run("ship", "--enqueue", "--quiet")
        assert (red.code, red.out, red.err) == (1, "", "")
        assert place.run("ship", "--platform", place.api, "--quiet").code == 1  # as from here
        place.service.git("revert", "--no-edit", "HEAD")
        assert worker.said().count("red") == 1
    everything = str(sql(place.location, "SELECT job.*, worker.* FROM job, worker"))
    everything += str(sql(place.location, "SELECT * FROM job"))
    assert place.token not in everything
    assert "postgresql://" not in everything


def test_no_follow_prints_the_job_and_follow_goes_on_with_it(place: Yard) -> None:
    place.commit()
    left = place.run("ship", "--enqueue", "--no-follow", "--json", "--env", "app-001")
    assert left.code == 0, left.err
    assert (left.document["state"], left.document["app"]) == ("waiting", "app-001")
    schema = Path(truegreen.outputs.__file__).with_name("schemas") / "job.json"
    jsonschema.validate(left.document, json.loads(schema.read_text(encoding="utf-8")))
    number = str(left.document["job"])
    waits = place.run("ship", "--follow", number, "--wait-at-most", "0", "--env", "app-001")
    assert waits.code == 3
    assert "no worker is alive" in waits.err
    follower = place.service.start("ship", "--follow", number, "--env", "app-001")
    assert follower.stderr is not None
    assert "no worker is alive" in follower.stderr.readline()
    follower.send_signal(signal.SIGINT)
    _, err = follower.communicate(timeout=20)
    assert (follower.returncode, "its ship goes on" in err) == (5, True), err
    with place.worker("w1"):
        followed = place.run("ship", "--follow", number, "--env", "app-001", "--json")
    assert followed.code == 0, followed.err
    assert followed.document["commit"] == left.document["commit"]


def test_workers_killed_in_the_middle_are_taken_over_with_one_build_and_one_release(
    place: Yard,
) -> None:
    """kill -9 to a worker and its ship while it builds, and to the next one as it releases."""
    app = "app-002"
    commit, go = place.commit_held()
    number = place.enqueue(app)
    with place.worker("first") as first, place.worker("second") as second:
        place.step(number, "build", "running")
        killed, other = (first, second) if "ships" in first.said() else (second, first)
        place.kill_child_of(app)
        killed.kill()
        other.hear("went away in the middle; it goes on")
        place.step(number, "release", "running")
        place.kill_child_of(app)
        other.kill()
        go.touch()
        assert place.job(number).state == "running", "nobody is there to say anything else"
        with place.worker("third") as third:
            (job,) = place.ended([number])
            third.hear("(attempt 3)")
    assert (job.verdict, job.exit_code, job.attempt, job.lost) == ("green", 0, 3, 2)
    assert place.made(app, commit) == (1, 1)


def test_a_ship_whose_process_is_killed_is_begun_again_by_its_worker(place: Yard) -> None:
    commit, go = place.commit_held()
    number = place.enqueue("app-003")
    with place.worker("w1") as worker:
        place.step(number, "release", "running")
        place.kill_child_of("app-003")
        go.touch()
        (job,) = place.ended([number])
        assert "the process that shipped it ended with -9" in worker.said()
    assert (job.verdict, job.lost) == ("green", 1)
    assert place.made("app-003", commit) == (1, 1)


def test_a_worker_that_is_stopped_hands_its_job_on_or_ends_it(place: Yard) -> None:
    commit, go = place.commit_held()
    number = place.enqueue("app-004")
    with place.worker("stopped", "--grace", "0") as worker:
        place.step(number, "release", "running")
        assert worker.stop() == 0
        assert "handed back" in worker.said()
    assert (place.job(number).state, place.job(number).lost) == ("waiting", 0)
    with place.worker("patient") as worker:
        place.step(number, "release", "running")
        worker.process.terminate()
        later = place.enqueue("app-004")
        go.touch()
        assert worker.process.wait(30) == 0
    assert (place.job(number).state, place.job(number).verdict) == ("ended", "green")
    assert place.job(later).state == "waiting", "it took nothing new"
    assert place.made("app-004", commit) == (1, 1)
    with place.worker("last"):
        place.ended([later])


def test_a_ship_that_is_withdrawn_stops_and_the_next_one_of_its_app_gets_its_turn(
    place: Yard,
) -> None:
    _, go = place.commit_held()
    number = place.enqueue("app-004")
    with place.worker("w1") as worker:
        place.step(number, "release", "running")
        commit = place.commit()
        later = place.enqueue("app-004")
        refused = place.run("ship", "--withdraw", str(number), "--reason", "x", "--env", "app-004")
        assert (refused.code, "--stop" in refused.err) == (4, True), refused.err
        follower = place.service.start("ship", "--follow", str(number), "--env", "app-004")
        done = place.run("ship", "--withdraw", str(number), "--stop", "--reason", "wrong branch",
                         "--json", "--env", "app-004")  # fmt: skip
        assert done.code == 0, done.err
        assert done.document["withdrawn"]["reason"] == "wrong branch"
        _, err = follower.communicate(timeout=30)
        assert (follower.returncode, "wrong branch" in err) == (5, True), err
        worker.hear("its ship is stopped here")
        go.touch()
        (job,) = place.ended([later])
    assert job.verdict == "green"
    assert place.made("app-004", commit) == (1, 1)


def test_workers_whose_connections_are_cut_go_on_and_say_so(place: Yard) -> None:
    commit = place.commit()
    number = place.enqueue("app-005")
    with place.worker("w1") as worker:
        place.step(number, "build", "running")
        cut_connections(place.location)
        (job,) = place.ended([number])
        worker.hear("the database is away, ships go on")
        worker.hear("the database is back")
    assert job.verdict == "green"
    assert place.made("app-005", commit) == (1, 1)


def test_workers_of_two_versions_share_the_work_while_they_are_renewed(
    place: Yard, tmp_path: Path
) -> None:
    place.commit()
    old_job = place.enqueue("app-006")
    new_job = place.enqueue("app-007", protocol=2)
    with place.worker("old") as old:
        (job,) = place.ended([old_job])
        assert job.verdict == "green"
        old.hear(f"job {new_job} of app-007 is of protocol 2: this worker understands 1")
        assert place.job(new_job).state == "waiting"
        with place.worker("new", source=newer_version(tmp_path)) as new:
            (job,) = place.ended([new_job])
            assert f"job {new_job}: green" in new.said()
            assert old.stop() == 0
            third = place.enqueue("app-006")
            assert place.ended([third])[0].verdict == "green"
            assert f"job {third}: green" in new.said()


def test_an_old_worker_that_meets_newer_tables_takes_no_more_and_ends(place: Yard) -> None:
    place.commit()
    sql(place.location, "UPDATE room SET version = version + 1 WHERE name = 'ledger'")
    number = place.enqueue("app-008")
    try:
        with place.worker("old") as old:
            old.hear("this worker takes no more jobs")
            assert old.process.wait(20) == 0
    finally:
        sql(place.location, "UPDATE room SET version = version - 1 WHERE name = 'ledger'")
    assert place.job(number).state == "waiting"
    with place.worker("new"):
        assert place.ended([number])[0].verdict == "green"


def test_three_workers_ship_every_app_once_and_never_two_of_one_at_once(place: Yard) -> None:
    commits = []
    numbers = []
    for _ in range(2):
        commits.append(place.commit())
        numbers += [place.enqueue(app) for app in place.apps[8:]]
    with (
        place.worker("w1", "--jobs", "2"),
        place.worker("w2", "--jobs", "2"),
        place.worker("w3", "--jobs", "2"),
    ):
        jobs = place.ended(numbers, 120)
    assert {job.verdict for job in jobs} == {"green"}
    for app in place.apps[8:]:
        for commit in commits:
            assert place.made(app, commit) == (1, 1)
        first, second = [job for job in jobs if job.app == app]
        assert (first.ended_at or 0) <= (second.taken_at or 0)


def test_jobs_that_cannot_be_done_end_with_why(place: Yard) -> None:
    bare = place.commit({"truegreen.toml": None})
    place.service.git("revert", "--no-edit", "HEAD")
    wrong: list[tuple[dict[str, str], int, str]] = [
        ({"repository": "/no/such/repository"}, 3, "cannot be fetched from"),
        ({"commit": "f" * 40}, 2, "the commit ffffffff is not in"),
        ({"commit": bare}, 2, "there is no configuration in the root of"),
        ({"prefix": "nowhere"}, 2, "nowhere is no folder of"),
        ({"environment": "staging"}, 2, "has no environment 'staging'"),
        ({"place": "https://api.heroku.com/apps/app-009"}, 2, "leads to http://127.0.0.1"),
    ]
    numbers = [place.enqueue("app-009", **change) for change, _, _ in wrong]
    with place.worker("w1"):
        jobs = place.ended(numbers)
    for job, (_, code, said) in zip(jobs, wrong, strict=True):
        assert (job.exit_code, job.run) == (code, None)
        assert said in job.message
