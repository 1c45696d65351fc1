"""Framing survives the relay: lengths, chunks, pipelines, upgrades; what is no HTTP is refused."""

from __future__ import annotations

import asyncio

import pytest

from truegreen.embedded.relay import Timeouts

from .relay_stage import echo_length, go, relay
from .web import OK, connected, get, header, origin, says, status, talk


def test_chunked_stays_chunked_and_http_1_0_gets_it_plain() -> None:
    async def body() -> None:
        reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        async with origin(says(reply)) as o, relay(o) as (_, port):
            response = await talk(port, get())
            assert header(response, "Transfer-Encoding") == ["chunked"]
            assert response.endswith(b"3\r\nabc\r\n0\r\n\r\n")
            old = await talk(port, b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
            assert old.endswith(b"\r\n\r\nabc")
            assert header(old, "Transfer-Encoding") == []

    go(body)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "2"),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", "7"),
    ],
)
def test_head_and_304_keep_the_length_of_what_is_not_sent(reply: bytes, expected: str) -> None:
    async def body() -> None:
        async with origin(says(reply)) as o, relay(o) as (_, port):
            ask = b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            response = await talk(port, ask)
            assert header(response, "Content-Length") == [expected]
            assert response.endswith(b"\r\n\r\n")
            own = await talk(port, ask.replace(b" / ", b" /own "))
            assert own.endswith(b"\r\n\r\n")
            assert header(own, "Content-Length") == ["6"]

    go(body)


def test_a_response_without_length_ends_with_its_connection() -> None:
    async def body() -> None:
        async with origin(says(b"HTTP/1.0 200 OK\r\n\r\nall of it")) as o, relay(o) as (_, port):
            assert b"all of it" in await talk(port, get())

    go(body)


def test_one_connection_carries_many_requests_also_pipelined_and_own_answers() -> None:
    async def body() -> None:
        async with (
            origin() as o,
            relay(o) as (_, port),
            connected(port) as (reader, writer),
        ):
            for path in (b"/1", b"/own", b"/2"):
                writer.write(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path)
                head = await reader.readuntil(b"\r\n\r\n")
                assert b"close" not in head.lower()
                await reader.readexactly(6 if path == b"/own" else 2)
            writer.write(b"GET /3 HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
            for _ in range(2):
                await reader.readuntil(b"\r\n\r\nok")
            assert len(o.heads) == 4

    go(body)


def test_expect_100_continue_is_answered_before_the_body_comes() -> None:
    async def body() -> None:
        async with (
            origin(echo_length) as o,
            relay(o) as (_, port),
            connected(port) as (reader, writer),
        ):
            writer.write(
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
            )
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
            writer.write(b"abc")
            assert (await reader.read()).startswith(b"HTTP/1.1 200")
            assert o.header("Expect") == []

    go(body)


def test_a_head_that_never_ends_is_ended() -> None:
    async def body() -> None:
        async with origin() as o, relay(o, Timeouts(request_head=0.2)) as (_, port):
            assert status(await talk(port, b"GET / HTTP/1.1\r\nHost")) == 408
            assert await talk(port, b"") == b""

    go(body)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n", 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nBad Name: 1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"\r\n\r\n\x00\x00\r\n\r\n", 400),
    ],
)
def test_garbage_is_answered_and_the_next_one_is_served(request_: bytes, expected: int) -> None:
    async def body() -> None:
        async with origin() as o, relay(o) as (_, port):
            o._script = waits_then_ok if expected == 400 and b"chunked" in request_ else OK
            assert status(await talk(port, request_)) == expected
            o._script = OK
            assert status(await talk(port, get())) == 200

    go(body)


async def waits_then_ok(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
) -> None:
    await reader.read()


def test_length_beside_chunked_does_not_reach_the_origin() -> None:
    async def body() -> None:
        async with origin() as o, relay(o) as (_, port):
            await talk(
                port,
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            )
            assert o.header("Content-Length") == []
            assert o.header("Transfer-Encoding") == ["chunked"]

    go(body)


def test_connection_cannot_name_host_or_length_away() -> None:
    async def body() -> None:
        async with origin(echo_length) as o, relay(o) as (_, port):
            ask = (
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                b"Connection: close, Host, Content-Length, X-A\r\nX-A: 1\r\n\r\nhi"
            )
            assert status(await talk(port, ask)) == 200
            assert o.header("Host") == ["x"]
            assert o.header("X-A") == []

    go(body)


def test_the_absolute_form_outranks_host() -> None:
    async def body() -> None:
        async with origin() as o, relay(o) as (_, port):
            await talk(port, get("http://real.localhost/p?q"))
            assert o.lines[0] == "GET /p?q HTTP/1.1"
            assert o.header("Host") == ["real.localhost"]

    go(body)


def test_a_websocket_is_a_tunnel_both_ways() -> None:
    async def echoes(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
    ) -> None:
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: x\r\n\r\nhello"
        )
        while data := await reader.read(100):
            writer.write(data.upper())
            await writer.drain()

    async def body() -> None:
        async with (
            origin(echoes) as o,
            relay(o) as (gateway, port),
            connected(port) as (reader, writer),
        ):
            writer.write(
                b"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\n"
                b"Upgrade: websocket\r\nSec-WebSocket-Key: y\r\n\r\n"
            )
            head = await reader.readuntil(b"\r\n\r\n")
            assert status(head) == 101
            assert header(head, "Upgrade") == ["websocket"]
            assert header(head, "Sec-WebSocket-Accept") == ["x"]
            assert await reader.readexactly(5) == b"hello"
            writer.write(b"abc")
            assert await reader.readexactly(3) == b"ABC"
            writer.write_eof()
            assert await reader.read() == b""
            assert o.header("Upgrade") == ["websocket"]
            assert (await gateway.outcome()).status == 101

    go(body)


def test_no_other_protocol_is_upgraded_to() -> None:
    async def body() -> None:
        async with origin() as o, relay(o) as (_, port):
            extra = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: x")
            assert status(await talk(port, get("/", "x", *extra))) == 200
            assert o.header("Upgrade") == o.header("HTTP2-Settings") == []

    go(body)
