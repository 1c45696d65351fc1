"""A run that is under way, on every page: while it lives, when it was killed, when it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from board_service import COMMIT, HOSTILE, Service, check, event, green, red
from board_ship import RELEASE, Ship

from truegreen.board import feed as feed_module
from truegreen.board.feed import Feed
from truegreen.ship.underway import Progress
from truegreen.state import locate


@pytest.fixture
def ship(service: Service) -> Iterator[Ship]:
    service.record(green())
    made = Ship(locate(service.root, {}), "raptor-prod", 1)
    yield made
    made.close()


def test_every_page_of_an_app_says_that_it_is_shipped_now_and_by_whom(
    service: Service, ship: Ship
) -> None:
    found = [
        service.get("/index.json").json()["shipping"][0],
        service.get("/apps/raptor-prod.json").json()["shipping"],
        service.get("/releases/1.json").json()["shipping"],
    ]
    assert found[0] == found[1] == found[2]
    assert found[0] | {"told": "", "told_age": ""} == {
        "app": "raptor-prod", "address": "/shipping/raptor-prod", "state": "running",
        "kind": "ship", "commit": COMMIT, "short": COMMIT[:8], "by": "kim@laptop",
        "step": "release", "since": "2026-06-21T19:35:02.000Z", "clock": "19:35:02",
        "told": "", "told_age": "", "command": "",
    }  # fmt: skip
    for path in ("/", "/apps/raptor-prod", "/releases/1"):
        page = service.get(path).text
        assert "shipping now" in page
        assert "step <b>release</b> since" in page


def test_the_page_of_the_run_has_its_steps_its_checks_and_its_last_lines(
    service: Service, ship: Ship
) -> None:
    told = service.get("/shipping/raptor-prod.json").json()
    assert told["sentence"] == f"{COMMIT[:8]} is being shipped to raptor-prod, in its step release."
    assert (told["state"], told["verdict"], told["blocked"]) == ("running", "live", None)
    assert [(one["name"], one["state"]) for one in told["chain"]["steps"]] == [
        ("gates", "done"), ("build", "done"), ("release", "running"),
    ]  # fmt: skip
    assert told["chain"]["ended"] == "2026-06-21T20:00:00.000Z"  # now: the step still runs
    assert told["output"]["skipped"] == 1
    assert [line["number"] for line in told["output"]["lines"]] == [2, 3]
    assert told["previous"]["record"] == 1
    page = service.get("/shipping/raptor-prod").text
    assert "&lt;b&gt;late&lt;/b&gt;" in page
    assert 'content="5"' in page  # without JavaScript it is loaded again


def test_a_run_that_was_killed_is_said_to_have_stopped_with_what_goes_on(
    service: Service, ship: Ship
) -> None:
    ship.give_back()
    told = service.get("/shipping/raptor-prod.json").json()
    assert told["sentence"] == (
        f"The ship of {COMMIT[:8]} to raptor-prod stopped in its step release, without a verdict."
    )
    assert told["blocked"]["command"] == "truegreen ship --env production"
    assert service.get("/index.json").json()["shipping"][0]["state"] == "stopped"
    for path in ("/", "/apps/raptor-prod", "/shipping/raptor-prod"):
        assert "truegreen ship --env production" in service.get(path).text, path


def test_a_later_verdict_settles_a_run_that_was_killed(service: Service, ship: Ship) -> None:
    ship.give_back()
    service.record(red(), "verify", at=ship.claim.taken_at + 60)
    assert service.get("/index.json").json()["shipping"] == []
    assert service.get("/apps/raptor-prod.json").json()["shipping"] is None
    assert service.get("/shipping/raptor-prod").headers["location"] == "/releases/2"


def test_a_verdict_from_before_it_was_last_heard_of_does_not(service: Service, ship: Ship) -> None:
    service.record(green(), "verify", at=ship.claim.taken_at - 60)
    ship.give_back()
    assert service.get("/shipping/raptor-prod.json").json()["state"] == "stopped"


def test_a_run_that_has_ended_is_the_page_of_its_record(service: Service, ship: Ship) -> None:
    service.record(green(), "verify")
    number = service.record(red())
    service.record(green(), "verify")
    ship.end()
    answer = service.get("/shipping/raptor-prod")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/releases/{number}")
    twin = service.get("/shipping/raptor-prod.json")
    assert twin.headers["location"] == f"/releases/{number}.json"
    assert service.get("/index.json").json()["shipping"] == []


def test_a_run_that_ended_without_a_record_says_so(service: Service, ship: Ship) -> None:
    ship.end()
    told = service.get("/shipping/raptor-prod.json").json()
    assert told["state"] == "ended"
    assert told["blocked"] is None
    assert "the ledger has no record of it" in service.get("/shipping/raptor-prod").text


def test_an_app_that_was_never_recorded_can_be_followed_too(service: Service) -> None:
    ship = Ship(locate(service.root, {}), "new-app", 0, kind="retry")
    try:
        assert service.get("/apps/new-app").headers["location"] == "/shipping/new-app"
        told = service.get("/shipping/new-app.json").json()
        assert told["sentence"] == "A retry of new-app is on, in its step release."
        assert told["app_address"] is None
        assert service.get("/index.json").json()["shipping_count"] == 1
    finally:
        ship.close()
    assert service.get("/shipping/nobody").status_code == 404


@pytest.mark.parametrize(
    "body",
    [{}, {"events": 3, "checks": {}, "output": "x"},
     {"events": [{"step": 1, "at": "x"}], "output": {"lines": [None], "heard": "1"}},
     {"output": {"lines": ["x"], "heard": -5}}],
)  # fmt: skip
def test_what_another_version_told_is_a_page_all_the_same(
    service: Service, ship: Ship, body: dict[str, Any]
) -> None:
    ship.tell(replace(RELEASE, step_at="never", body=body))
    for path in ("/", "/apps/raptor-prod", "/shipping/raptor-prod"):
        assert service.get(path).status_code == 200, path


def test_hostile_texts_of_a_run_are_texts(service: Service) -> None:
    ship = Ship(locate(service.root, {}), HOSTILE.replace("/", ""), 0)
    body = {
        "events": [event("00", HOSTILE, "running", HOSTILE)],
        "checks": [check(HOSTILE, HOSTILE, HOSTILE)],
        "output": {"step": HOSTILE, "heard": 1, "lines": [HOSTILE]},
    }
    ship.tell(Progress(HOSTILE, HOSTILE, HOSTILE, HOSTILE, body))
    address = service.get("/index.json").json()["shipping"][0]["address"]
    for path in ("/", address):
        page = service.get(path).text
        assert page.count("<script") == 1, path
        assert "<img" not in page, path
    ship.close()


def test_a_file_that_cannot_be_read_costs_no_page_its_record(service: Service) -> None:
    service.record(green())
    (service.root / ".truegreen" / "underway.sqlite3").write_bytes(b"not a database" * 99)
    for path in ("/", "/apps/raptor-prod", "/releases/1"):
        assert service.get(path).status_code == 200, path
    assert service.get("/shipping/raptor-prod").status_code == 404


def test_each_step_is_told_to_open_pages(
    service: Service, ship: Ship, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "EVERY", 0.01)

    async def heard() -> list[bytes]:
        feed = Feed(service.sources)
        reader = asyncio.create_task(feed.run())
        lines = feed.listen()
        found = [await anext(lines) for _ in range(2)]
        ship.tell(RELEASE)
        found.append(await anext(lines))
        ship.give_back()
        found.append(await anext(lines))
        await lines.aclose()
        reader.cancel()
        return found

    opened, version, *told = asyncio.run(heard())
    assert b"listens" in opened
    assert version == b'data: {"version": "1-2"}\n\n'
    assert told == [b'data: {"app": "raptor-prod"}\n\n'] * 2
    assert 'data-version="1-3"' in service.get("/").text
