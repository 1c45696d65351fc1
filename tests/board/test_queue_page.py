"""The page of the queue: who waits and who works, with workers and without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from board_service import HOSTILE, Service, green
from job_orders import order, sql
from queue_lines import BUSY, LineOnly, job, line, running, seen
from shared_postgres import SharedPostgres

from truegreen.ship.holder import Holder
from truegreen.ship.leases import Leases
from truegreen.ship.underway import Beginning, UnderwayRuns
from truegreen.state import DATABASE_URL, locate
from truegreen.workers.line import Line, Waits
from truegreen.workers.order import UNDERSTOOD
from truegreen.workers.queue import Queue


def shown(service: Service, at: Line) -> Any:
    service.sources._queue = LineOnly(at)  # type: ignore[assignment]
    return service.get("/queue.json").json()


def test_the_page_and_its_twin_show_jobs_turns_and_workers(service: Service) -> None:
    service.record(green("shop"))
    twin = shown(service, BUSY)
    assert twin["verdict"] == "unverified", "nobody takes what is first of next-app"
    shop, billing, *_ = twin["apps"]
    assert (shop["app_address"], billing["app_address"]) == ("/apps/shop", None)
    assert (shop["running"]["lasted"], shop["running"]["heard_age"]) == ("95 s", "just now")
    assert [one["age"] for one in shop["waiting"]] == ["10 min ago", "10 min ago"]
    text = service.get("/queue").text
    for part in ("1 of shop before it", "attempt 2", "nobody takes it", "3 more wait after these",
                 "truegreen ship --withdraw JOB", "deploy@worker-2", "2 of 2 busy"):  # fmt: skip
        assert part in text, part


def test_a_line_that_moves_is_no_trouble_and_an_empty_one_is_nothing(service: Service) -> None:
    moves = line((running(1),), (Waits(job(2), 0, 0.0),), (seen(),))
    assert shown(service, moves)["verdict"] == "live"
    empty = shown(service, line())
    assert (empty["verdict"], empty["sentence"]) == ("none", "Nobody waits: no worker is alive.")
    assert "truegreen board DIR --worker" in service.get("/queue").text


def test_nothing_that_was_enqueued_runs_in_a_browser(service: Service) -> None:
    hostile = replace(
        job(1, note=HOSTILE, asked_by=HOSTILE), place=f"https://api/apps/{HOSTILE}", app=HOSTILE
    )
    shown(service, line((), (Waits(hostile, 0, 0.0),), (seen(HOSTILE),)))
    text = service.get("/queue").text
    assert "<script>alert" not in text
    assert "<img src=x" not in text


def test_without_a_database_it_shows_the_leases_and_the_way_to_workers(service: Service) -> None:
    page = service.get("/queue")
    assert "Nobody waits." in page.text
    assert "export TRUEGREEN_DATABASE_URL=postgresql://" in page.text
    assert not (service.root / ".truegreen").exists(), "a page makes no file"
    leases = Leases.open(locate(service.root, {}))
    for name in "abc":
        holder = Holder(name, f"{name}@host", 1, "")
        leases.take("http://api/apps/raptor-prod", holder, "c" * 40, seconds=60, wait=True)
    leases.close()
    twin = service.get("/queue.json").json()
    assert (twin["sentence"], twin["verdict"]) == ("2 ships wait for a lease.", "live")
    (app,) = twin["apps"]
    assert (app["app"], app["lease"]["owner"]) == ("raptor-prod", "a@host")
    assert [one["owner"] for one in app["tickets"]] == ["b@host", "c@host"]
    assert "--withdraw" not in service.get("/queue").text


@pytest.fixture
def shared(tmp_path: Path, postgres: SharedPostgres, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv(DATABASE_URL, postgres.url())
    made = Service(tmp_path / "service")
    yield made
    made.sources.close()


def test_a_real_queue_is_read_and_a_database_of_a_newer_truegreen_is_said(shared: Service) -> None:
    where = shared.sources.where
    holder = Holder("w", "w@host", 1, "")
    with Queue.open(where) as queue:
        for sign in "abc":
            queue.enqueue(order(commit=sign * 40))
        taken = queue.take(holder, UNDERSTOOD)
        assert taken is not None
        queue.withdraw(2, "shop", "ada", "why")
    (app,) = shared.get("/queue.json").json()["apps"]
    assert (app["running"]["job"], [one["job"] for one in app["waiting"]]) == (1, [3])
    runs = UnderwayRuns.open(where)
    runs.begin(Beginning(taken.place, "h", "w@host", "ship", "a" * 40, "truegreen ship", 0))
    runs.close()
    assert shared.get("/shipping/shop.json").json()["waits"] == 1
    assert "1 waits for it" in shared.get("/shipping/shop").text
    shared.sources.close()
    sql(where, "UPDATE room SET version = 99 WHERE name = 'job'")
    told = shared.get("/queue")
    assert told.status_code == 503
    assert "of a newer TrueGreen" in told.text
    assert shared.get("/shipping/shop.json").json()["waits"] is None
