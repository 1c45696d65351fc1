"""The line as people and programs read it: whose turn it is, and why somebody waits."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from job_orders import order, sql
from queue_lines import AT, BUSY, claim, job, line, running, seen

import truegreen
from truegreen.cli.releases import command as releases
from truegreen.ship.holder import Holder
from truegreen.ship.leases import Leases
from truegreen.state import DATABASE_URL, Location
from truegreen.workers.line import A_WHILE, Line, Waits, document, lines, places
from truegreen.workers.order import UNDERSTOOD, Understands
from truegreen.workers.queue import Queue

NOW = datetime.fromtimestamp(AT, UTC)
SCHEMA = Path(truegreen.__file__).parent / "outputs" / "schemas" / "releases-queue.json"


def told(at: Line | None, held: Any = (), tickets: Any = ()) -> Any:
    found = document(at, places(at, held, tickets), NOW)
    jsonschema.validate(found, json.loads(SCHEMA.read_text(encoding="utf-8")))
    return found


def test_apps_stand_in_the_order_of_their_turn_and_jobs_in_that_of_their_app() -> None:
    found = told(BUSY)
    assert [one["app"] for one in found["apps"]] == [
        "shop",
        "billing",
        "search",
        "mail",
        "next-app",
    ]
    shop, _, search, mail, strange = found["apps"]
    assert [(one["job"], one["why"]) for one in shop["waiting"]] == [
        (18, "1 of shop before it"), (19, "2 of shop before it"),
    ]  # fmt: skip
    assert search["waiting"][0]["why"] == "all 2 workers are busy"
    assert mail["waiting"][0]["why"] == (
        "all 2 workers are busy, and 1 app has its turn before mail"
    )
    assert "it is of protocol 2, and the workers alive understand 1" in strange["waiting"][0]["why"]
    assert [one["app"] for one in found["apps"] if one["stuck"]] == ["next-app"]
    assert (shop["running"]["step"], shop["running"]["step_state"]) == ("release", "running")
    assert found["left_out"] == 3


def test_an_app_that_nobody_understands_is_no_turn_before_another() -> None:
    waiting = (Waits(job(1, "strange", protocol=9), 0, 0.0), Waits(job(2), 0, 5.0))
    _, shop = told(line((), waiting, (seen(),)))["apps"]
    assert shop["waiting"][0]["why"] == "the worker is busy"


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        (None, "Nobody waits."),
        (line(), "Nobody waits: no worker is alive."),
        (line((), (), (seen(),)), "Nobody waits; 1 worker is alive."),
        (line((running(1),), (), (seen(),)), "1 job is carried out; 1 worker is alive."),
        (line((), (Waits(job(1), 0, 0.0),)), "1 job waits, and no worker is alive."),
        (
            BUSY,
            "2 jobs are carried out, 8 wait; 2 workers are alive, and none understands what is"
            " first of 1 app.",
        ),
    ],
)
def test_the_sentence(at: Line | None, sentence: str) -> None:
    assert told(at)["sentence"] == sentence


def test_who_waits_without_the_queue_stands_with_the_jobs_of_the_app() -> None:
    asks = [claim("shop", "kim@laptop"), claim("other", "sam@laptop", commit="rollback")]
    found = told(line((running(17),), (), (seen(),)), [claim("shop", "deploy@worker-1")], asks)
    shop, other = found["apps"]
    assert [one["owner"] for one in shop["tickets"]] == ["kim@laptop"]
    assert shop["lease"]["owner"] == "deploy@worker-1"
    assert (other["running"], other["lease"], other["tickets"][0]["commit"]) == (
        None, None, "rollback",
    )  # fmt: skip
    assert found["sentence"].startswith("1 job is carried out, 2 ships wait for a lease;")


def test_what_a_free_worker_leaves_alone_is_said() -> None:
    young = Waits(job(1, asked_at=AT - A_WHILE + 1), 0, 0.0)
    old = Waits(job(2, "other", asked_at=AT - A_WHILE - 1), 0, 0.0)
    one, two = told(line((), (young, old), (seen(busy=0),)))["apps"]
    assert one["waiting"][0]["why"] == "a worker takes it soon"
    assert "unless their --only leave its repository out" in two["waiting"][0]["why"]


def test_a_terminal_reads_it_line_by_line() -> None:
    asks = [claim("shop", "kim@laptop")]
    text = "\n".join(lines(told(BUSY, [claim("shop", "deploy@worker-1")], asks)))
    assert (
        "  job 12  00000012 to production, asked by ada@runner-1: deploy@worker-1 ships it since"
        " 2026-06-21T19:58:25.000Z, attempt 2, step release"
    ) in text
    assert (
        "job 19  00000019 to production, asked by kim@laptop 2026-06-21T19:50:00.000Z: waits"
        in text
    )
    assert "waits again (the worker was stopped), 2 of shop before it" in text
    assert "deploy@worker-1 (pid 4711, commit cccccccc) holds the lease since" in text
    assert "kim@laptop (pid 4711, commit cccccccc) waits for the lease since" in text
    assert "and 3 more that wait" in text
    assert "worker deploy@worker-2: 1.4.0, protocol 1, 2 of 2 busy, heard of 2026-06-21T" in text
    assert DATABASE_URL in "\n".join(lines(told(None)))


def test_a_terminal_obeys_nothing_that_was_enqueued() -> None:
    hostile = job(1, asked_by="\x1b]0;mine\x07\nnobody waits", note="\x9b2J\u202e")
    text = list(lines(told(line((), (Waits(hostile, 0, 0.0),), (seen(),)))))
    assert all(one.isprintable() for one in text)
    assert len(text) == 4


def test_the_queue_is_read_whole_and_the_first_of_each_app_before_the_second(
    queue: Queue,
) -> None:
    for number in range(4):
        queue.enqueue(order("loud", f"{number:040d}"))
    for name in ("calm", "quiet"):
        queue.enqueue(order(name))
    begun = queue.take(Holder("w", "w@host", 1, ""), Understands(1, 3))
    queue.sign(Holder("w", "w@host", 1, ""), "1.0", UNDERSTOOD, 1, 1)
    found = queue.line(3)
    assert found.running == (begun,)
    assert [(one.job.id, one.before) for one in found.waiting] == [(2, 0), (5, 0), (6, 0)]
    assert found.left_out == 2
    assert found.now - found.workers[0].beat_at < 60
    assert [one.job.app for one in queue.line().waiting] == [
        "loud",
        "calm",
        "quiet",
        "loud",
        "loud",
    ]
    queue.withdraw(3, "loud", "ada", "why")
    assert [one.job.id for one in queue.line().waiting] == [2, 5, 6, 4]
    loud = next(one for one in places(queue.line(), (), ()) if one.app == "loud")
    assert [one.before for one in loud.waiting] == [1, 2]


def test_the_verb_shows_every_app_or_one_and_changes_nothing(
    queue: Queue, location: Location, shop: str
) -> None:
    queue.enqueue(order())
    queue.enqueue(order("other"))
    leases = Leases.open(location)
    for name in "ab":
        holder = Holder(name, f"{name}@host", 1, "")
        leases.take("https://api.example.com/apps/shop", holder, "c" * 40, seconds=30, wait=True)
    leases.close()
    before = sql(location, "SELECT * FROM job")

    def run(*options: str) -> str:
        outcome = CliRunner().invoke(releases, [shop, "--queue", *options])
        assert outcome.exception is None, outcome
        return outcome.stdout

    text = run()
    assert text.startswith("2 jobs wait, 1 ship waits for a lease, and no worker is alive.\n")
    assert "b@host (pid 1, commit cccccccc) waits for the lease since" in text
    found = json.loads(run("--json", "--app", "other"))
    jsonschema.validate(found, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [one["app"] for one in found["apps"]] == ["other"]
    assert sql(location, "SELECT * FROM job") == before
    assert not (Path(shop) / ".truegreen").exists()


def test_the_verb_without_a_database_makes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DATABASE_URL, raising=False)
    (tmp_path / "truegreen.toml").write_text(
        '[service]\nname = "x"\n[env.production]\napp = "shop"\n', encoding="utf-8"
    )
    outcome = CliRunner().invoke(releases, [str(tmp_path), "--queue"])
    assert outcome.stdout.startswith("Nobody waits.\nWorkers would share a queue: ")
    assert not (tmp_path / ".truegreen").exists()
