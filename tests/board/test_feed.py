"""What open pages are told, and what happens to one that does not read."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from board_service import Service, green, published, red

from truegreen.board import feed as feed_module
from truegreen.board.feed import Feed
from truegreen.ship.holder import Holder
from truegreen.ship.leases import Leases
from truegreen.state import locate


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "EVERY", 0.01)


async def events(feed: Feed, count: int, act: Any) -> list[dict[str, Any]]:
    """The next ``count`` events of a page that opens before ``act``."""
    reader = asyncio.create_task(feed.run())
    found: list[dict[str, Any]] = []
    line = feed.listen()
    await anext(line)
    await asyncio.sleep(0.1)
    act()
    async with asyncio.timeout(20):
        while len(found) < count:
            text = (await anext(line)).decode()
            if text.startswith("data: ") and "version" not in text:
                found.append(json.loads(text.removeprefix("data: ")))
                published("event").validate(found[-1])
    await line.aclose()
    reader.cancel()
    return found


def test_a_lease_that_is_taken_is_told_and_shown_with_its_holder(service: Service) -> None:
    service.record(green())
    leases = Leases.open(locate(service.root, {}))

    def take() -> None:
        leases.take(
            "http://api.example/apps/raptor-prod", Holder.here(), "c" * 40, seconds=60, wait=False
        )

    try:
        told = asyncio.run(events(Feed(service.sources), 1, take))
        assert told == [{"app": "raptor-prod"}]
        shown = service.get("/index.json").json()["apps"][0]["lease"]
        assert shown["owner"] == Holder.here().owner
        assert shown["what"] == "c" * 8
        assert "works on cccccccc" in service.get("/apps/raptor-prod").text
    finally:
        leases.close()


def test_each_record_is_told_with_its_sentence_and_one_without_a_verdict_too(
    service: Service,
) -> None:
    service.record(green())

    def act() -> None:
        service.record(red())
        service.record({"interrupted": "release"}, app="raptor-prod")
        service.record({"told": "a change"}, "watch")

    told = asyncio.run(events(Feed(service.sources), 3, act))
    assert [(one["record"], one["verdict"], bool(one["sentence"])) for one in told] == [
        (2, "red", True), (3, "interrupted", False), (4, "interrupted", False),
    ]  # fmt: skip


def test_a_page_that_does_not_read_is_dropped_and_the_others_hear_on(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "_QUEUE", 2)

    async def both() -> tuple[list[bytes], int]:
        feed = Feed(service.sources)
        slow, quick = feed.listen(), feed.listen()
        await anext(slow)
        await anext(quick)
        heard = []
        for number in range(4):
            feed._tell({"record": number})
            heard.append(await anext(quick))
        left = [line async for line in slow]
        await quick.aclose()
        return heard, len(left)

    heard, left = asyncio.run(both())
    assert len(heard) == 4
    assert left < 4


def test_more_pages_than_can_be_told_are_sent_away(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "LISTENERS", 1)

    async def one() -> tuple[bool, bool]:
        feed = Feed(service.sources)
        before = feed.full
        line = feed.listen()
        await anext(line)
        after = feed.full
        await line.aclose()
        return before, after

    assert asyncio.run(one()) == (False, True)
