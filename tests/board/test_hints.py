"""POST /hints: takes what is signed, answers at once, and is never in the way of the board."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from board_service import Service

from truegreen.board import hints as hints_module
from truegreen.board import make_app
from truegreen.board.hints import PATH, WAITING, HintDoor, hint_door
from truegreen.errors import UsageError
from truegreen.secret import Secret
from truegreen.state import LastingDatabase, StateError, locate
from truegreen.watch.hints import LARGEST, SIGNATURE
from truegreen.watch.inbox import Inbox
from truegreen.watch.together import lasting

KEY = Secret("s3cret")
Post = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def database(service: Service) -> Iterator[LastingDatabase]:
    made = lasting(locate(service.root, {}))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_EVERY", "_COUNTED", "_AWAY"):
        monkeypatch.setattr(hints_module, name, 0.01)


def body(app: str = "a", id: str = "delivery-1") -> bytes:
    told = {"resource": "release", "data": {"app": {"name": app}},
            "webhook_metadata": {"delivery": {"id": id}}}  # fmt: skip
    return json.dumps(told).encode()


def signed(data: bytes, key: str = "s3cret") -> dict[str, str]:
    made = hmac.new(key.encode(), data, hashlib.sha256).digest()
    return {SIGNATURE: base64.b64encode(made).decode()}


def with_door(
    service: Service, database: LastingDatabase, talk: Callable[[Post], Awaitable[None]]
) -> None:
    """Runs ``talk`` at a board that takes hints; what it was told is written when this returns."""

    async def one() -> None:
        annex = HintDoor(KEY, database).annex()
        assert annex.living is not None
        transport = httpx.ASGITransport(make_app(service.sources, annexes=[annex]))
        async with (
            annex.living(),
            httpx.AsyncClient(transport=transport, base_url="https://hooks.example.com") as web,
        ):

            async def post(data: object, **headers: str) -> httpx.Response:
                return await web.post(PATH, content=data, headers=headers)  # type: ignore[arg-type]

            await talk(post)

    asyncio.run(one())


def test_a_signed_delivery_is_taken_under_whatever_name_the_proxy_gives_us(
    service: Service, database: LastingDatabase
) -> None:
    async def talk(post: Post) -> None:
        answer = await post(body(), Origin="https://elsewhere.example", **signed(body()))
        assert (answer.status_code, answer.content) == (202, b"")

    with_door(service, database, talk)
    assert Inbox(database).claim(lambda _: True, "us").keys() == {"a"}


def test_what_is_not_signed_with_the_secret_is_refused_and_counted(
    service: Service, database: LastingDatabase
) -> None:
    async def talk(post: Post) -> None:
        assert (await post(body())).status_code == 403
        assert (await post(body(), **signed(body(), "other"))).status_code == 403
        assert (await post(body("b"), **signed(body("a")))).status_code == 403
        assert (await post(body(), **{SIGNATURE: "no base64 ===="})).status_code == 403

    with_door(service, database, talk)
    waiting = Inbox(database).waiting()
    assert (waiting.apps, waiting.tally) == (0, {"forged": 4})


def test_empty_broken_and_huge_bodies(service: Service, database: LastingDatabase) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536

    async def talk(post: Post) -> None:
        for data in (b"", b"[]", b"\xff\xfe", b'{"data": {"app": {"name": "../x"}}}', b"[" * 9999):
            assert (await post(data, **signed(data))).status_code == 202
        big = b"x" * (LARGEST + 1)
        assert (await post(big, **signed(big))).status_code == 413
        assert (await post(endless(), **{SIGNATURE: "eA=="})).status_code == 413

    with_door(service, database, talk)
    assert Inbox(database).waiting().tally == {"nameless": 5, "too_large": 2}


def test_a_body_that_does_not_come_is_not_waited_for(
    service: Service, database: LastingDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints_module, "_SLOW", 0.02)

    async def trickle() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(30)
        yield b"x"

    async def talk(post: Post) -> None:
        assert (await post(trickle(), **{SIGNATURE: "eA=="})).status_code == 408

    with_door(service, database, talk)
    assert Inbox(database).waiting().tally == {"slow": 1}


def test_a_flood_fills_the_queue_and_no_more_while_the_database_is_away(
    service: Service, database: LastingDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints_module, "WAITING", 20)
    assert WAITING == 1000
    real = Inbox.put

    def away(*_: object) -> None:
        raise StateError("server closed the connection")

    async def talk(post: Post) -> None:
        monkeypatch.setattr(Inbox, "put", away)
        codes = []
        for number in range(30):
            data = body(f"app-{number % 25}", f"delivery-{number}")
            codes.append(await post(data, **signed(data)))
        assert [one.status_code for one in codes] == [202] * 20 + [503] * 10
        assert codes[-1].headers["retry-after"] == "5"
        await asyncio.sleep(0.05)
        monkeypatch.setattr(Inbox, "put", real)
        for _ in range(200):  # what was taken is not lost, and there is room again
            data = body("late", "delivery-late")
            if (await post(data, **signed(data))).status_code == 202:
                break
            await asyncio.sleep(0.02)

    with_door(service, database, talk)
    waiting = Inbox(database).waiting()
    assert waiting.apps == 21
    assert waiting.tally["taken"] == 21
    assert waiting.tally["dropped"] >= 10


def test_the_same_delivery_twice_and_a_replay_are_one_hint(
    service: Service, database: LastingDatabase
) -> None:
    async def talk(post: Post) -> None:
        for id in ("delivery-1", "delivery-1", "delivery-2"):
            answer = await post(body("a", id), **signed(body("a", id)))
            assert answer.status_code == 202

    with_door(service, database, talk)
    assert Inbox(database).waiting().tally == {"taken": 2, "again": 1}
    assert Inbox(database).waiting().apps == 1


def test_the_board_is_still_only_read_and_only_under_its_names(
    service: Service, database: LastingDatabase
) -> None:
    async def one() -> None:
        annex = HintDoor(KEY, database).annex()
        transport = httpx.ASGITransport(make_app(service.sources, annexes=[annex]))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as web:
            assert (await web.post("/", headers=signed(b""))).status_code == 405
            assert (await web.post(PATH + "/", headers=signed(b""))).status_code == 405
            assert (await web.get(PATH)).status_code == 405
            stranger = {"host": "hooks.example.com"}
            assert (await web.get("/watch", headers=stranger)).status_code == 421
            assert (await web.get(PATH, headers=stranger)).status_code == 421
            assert (await web.put(PATH, headers=stranger)).status_code == 421

    asyncio.run(one())


def test_without_a_secret_the_board_has_no_such_door(service: Service) -> None:
    assert service.ask("POST", PATH).status_code == 405


def test_a_database_of_a_newer_truegreen_stops_the_start(service: Service) -> None:
    file = Path(service.root) / ".truegreen" / "watch.sqlite3"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"no database at all" * 100)
    with pytest.raises(UsageError, match="watch"):
        hint_door(KEY, service.sources.config)
