"""Plain exchanges go over connections that are used again; nothing of one gets into the next."""

from __future__ import annotations

import asyncio

import pytest

from truegreen.embedded import plain
from truegreen.embedded.http1 import Fault
from truegreen.embedded.relay import Timeouts

from .relay_stage import go, relay
from .web import Script, connected, get, origin, says, status, talk

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def keeping(*replies: bytes) -> tuple[Script, list[int]]:
    """An origin's script that goes on with its connection; how many requests each one had."""
    had: list[int] = []

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
    ) -> None:
        mine = len(had)
        had.append(0)
        while head:
            had[mine] += 1
            writer.write(replies[min(sum(had), len(replies)) - 1])
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")

    return script, had


def test_requests_of_many_clients_share_a_connection_until_it_was_idle_for_too_long() -> None:
    async def body() -> None:
        script, had = keeping(OK)
        async with origin(script) as o, relay(o, Timeouts(keep=0.3)) as (gateway, port):
            for _ in range(3):
                assert status(await talk(port, get())) == 200
            assert had == [3]
            assert [outcome.body_bytes for outcome in gateway.outcomes] == [2, 2, 2]
            await asyncio.sleep(0.8)
            assert status(await talk(port, get())) == 200
            assert had == [3, 1]

    go(body)


def test_nothing_is_kept_when_it_is_told_so_by_either_side() -> None:
    async def body() -> None:
        script, had = keeping(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        async with origin(script) as o, relay(o) as (_, port):
            for _ in range(2):
                assert status(await talk(port, get())) == 200
            assert had == [1, 1]
        script, had = keeping(OK)
        async with origin(script) as o, relay(o, Timeouts(keep=0)) as (_, port):
            for _ in range(2):
                assert status(await talk(port, get())) == 200
            assert had == [1, 1]

    go(body)


def test_a_connection_that_the_origin_had_ended_costs_no_request() -> None:
    async def body() -> None:
        async with origin(says(OK)) as o, relay(o, Timeouts(keep=60)) as (gateway, port):
            for number in range(1, 20):  # the end is known before the next request, or after it
                await asyncio.sleep(0 if number % 2 else 0.01)
                assert status(await talk(port, get())) == 200
            assert {outcome.fault for outcome in gateway.outcomes} == {None}
            assert len(o.heads) == 19  # none was sent twice

    go(body)


@pytest.mark.parametrize(
    "reply",
    [
        OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
        b"HTTP/1.1 204 No Content\r\n\r\npoison",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\npoison",
    ],
)
def test_what_an_origin_says_beyond_its_answer_never_reaches_the_next_client(reply: bytes) -> None:
    async def body() -> None:
        script, had = keeping(reply, OK)
        async with origin(script) as o, relay(o) as (_, port):
            assert b"poison" not in await talk(port, get())
            assert (await talk(port, get())).endswith(b"\r\n\r\nok")
            assert had == [1, 1]

    go(body)


def test_a_client_that_went_away_spoils_nobody_elses_answer() -> None:
    go_on = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        if b"/slow" in head:
            await go_on.wait()
        writer.write(OK)

    async def body() -> None:
        async with origin(slow) as o, relay(o) as (gateway, port):
            async with connected(port) as (_, writer):
                writer.write(get("/slow"))
                while not o.heads:
                    await asyncio.sleep(0.01)
            assert (await gateway.outcome()).fault is Fault.CLIENT_GONE
            go_on.set()
            for _ in range(3):
                assert (await talk(port, get())).endswith(b"ok")

    go(body)


def test_a_response_that_is_not_plain_comes_whole_also_on_a_used_connection() -> None:
    async def body() -> None:
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK
        script, had = keeping(OK, chunked, OK, early)
        async with origin(script) as o, relay(o) as (_, port):
            texts = [await talk(port, get()) for _ in range(4)]
            assert texts[1].endswith(b"\r\n3\r\nabc\r\n0\r\n\r\n")
            assert texts[3].startswith(b"HTTP/1.1 103 ")
            assert texts[3].endswith(b"\r\n\r\nok")
            assert had == [2, 2]

    go(body)


@pytest.mark.parametrize(
    "text",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\nY: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: y\r\n\r\n",
        b"GET / HTTP/1.0\r\nHost: x\r\n\r\n",
        b"GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close, X-Secret\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
    ],
)
def test_what_is_not_exactly_plain_is_left_to_h11(text: bytes) -> None:
    assert plain.request(bytearray(text), "peer") is None


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: a\rb\r\n\r\n",
    ],
)
def test_an_answer_that_is_not_exactly_plain_is_left_to_h11(text: bytes) -> None:
    assert plain.response(bytearray(text), b"GET") is None


def test_bare_line_feeds_of_an_origin_are_taken_as_h11_takes_them() -> None:
    async def body() -> None:
        script, _ = keeping(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
        async with origin(script) as o, relay(o) as (_, port):
            assert (await talk(port, get())).endswith(b"\r\n\r\nok")

    go(body)
