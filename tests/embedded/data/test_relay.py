"""Bodies stream, framing survives, and no client or origin can hang or crash the relay."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from truegreen.embedded.http1 import (
    Answer,
    Fault,
    Forward,
    Head,
    Headers,
    Outcome,
    end_to_end,
)
from truegreen.embedded.relay import RelayServer, Timeouts

from .web import LONG, OK, Origin, connected, get, header, origin, says, status, talk


class Plain:
    """A gateway that adds nothing: everything goes to one origin."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.outcomes: list[Outcome] = []

    async def route(self, head: Head) -> Forward | Answer:
        if head.target == b"/own":
            return Answer(418, [], b"teapot")
        return Forward(("127.0.0.1", self.port), end_to_end(head.headers))

    def fault(self, head: Head, fault: Fault) -> Answer:
        return Answer(503, [], fault.value.encode())

    def response_headers(self, head: Head, headers: Headers) -> Headers:
        return headers

    def finished(self, head: Head, plan: Forward | Answer | None, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    async def outcome(self, count: int = 1) -> Outcome:
        async with asyncio.timeout(LONG):
            while len(self.outcomes) < count:
                await asyncio.sleep(0.01)
        return self.outcomes[count - 1]


@asynccontextmanager
async def relay(o: Origin, timeouts: Timeouts | None = None) -> AsyncIterator[tuple[Plain, int]]:
    gateway = Plain(o.port)
    server = RelayServer(gateway, timeouts or Timeouts())
    port = await server.start("127.0.0.1", 0)
    try:
        yield gateway, port
    finally:
        await server.close()


def go(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(LONG):
            await body()

    asyncio.run(bounded())


async def echo_length(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
) -> None:
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    text = f"{len(body)}:{sum(body) % 256}".encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)


def test_an_upload_streams_in_order_as_it_comes() -> None:
    arrived: list[bytes] = []

    async def slow_reader(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
    ) -> None:
        assert b"Transfer-Encoding: chunked" in head
        while b"0\r\n\r\n" not in b"".join(arrived):
            arrived.append(await reader.read(100))
        await OK(reader, writer, head)

    async def body() -> None:
        async with (
            origin(slow_reader) as o,
            relay(o) as (_, port),
            connected(port) as (reader, writer),
        ):
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in (b"one", b"two", b"three"):
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                while piece not in b"".join(arrived):  # before the next one is even sent
                    await asyncio.sleep(0.01)
            writer.write(b"0\r\n\r\n")
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")

    go(body)


def test_ten_megabytes_up_arrive_whole() -> None:
    async def body() -> None:
        data = bytes(range(256)) * 40_960
        async with origin(echo_length) as o, relay(o) as (_, port):
            head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
            response = await talk(port, head % len(data) + data)
            assert response.endswith(f"{len(data)}:{sum(data) % 256}".encode())

    go(body)


def test_a_download_streams_as_it_comes_and_is_bounded_by_the_slow_client() -> None:
    sent = 0

    async def flood(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
    ) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
        for _ in range(500):
            writer.write(b"x" * 100_000)
            await writer.drain()
            sent += 100_000

    async def body() -> None:
        async with (
            origin(flood) as o,
            relay(o) as (gateway, port),
            connected(port) as (reader, writer),
        ):
            writer.write(get())
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.5)
            assert 0 < sent < 40_000_000  # what nobody reads is not piled up in us
            got = 0
            while data := await reader.read(1_000_000):
                got += len(data)
            assert got == 50_000_000
            assert (await gateway.outcome()).body_bytes == got

    go(body)


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


def test_an_early_answer_reaches_a_client_that_is_still_uploading() -> None:
    async def body() -> None:
        reply = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"
        async with (
            origin(says(reply)) as o,
            relay(o) as (_, port),
            connected(port) as (reader, writer),
        ):
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nbegin")
            response = await reader.readuntil(b"\r\n\r\nno")
            assert status(response) == 413
            assert header(response, "Connection") == ["close"]

    go(body)


def test_a_response_that_breaks_off_is_seen_as_broken() -> None:
    async def body() -> None:
        reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
        async with origin(says(reply)) as o, relay(o) as (gateway, port):
            with suppress(ConnectionResetError):
                assert b"0\r\n\r\n" not in await talk(port, get())
            assert (await gateway.outcome()).fault is Fault.INTERRUPTED
            with pytest.raises(ConnectionResetError):  # there, an end would mean: all of it
                await talk(port, b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")

    go(body)


def test_a_client_that_goes_away_ends_the_exchange_at_the_origin_too() -> None:
    gone = asyncio.Event()

    async def waits(reader: asyncio.StreamReader, *_: object) -> None:
        await reader.read()
        gone.set()

    async def body() -> None:
        async with origin(waits) as o, relay(o) as (gateway, port):
            async with connected(port) as (_, writer):
                writer.write(get())
                while not o.heads:
                    await asyncio.sleep(0.01)
            await gone.wait()
            assert (await gateway.outcome()).fault is Fault.CLIENT_GONE

    go(body)


def test_idle_ends_a_stalled_response_and_a_stalled_upload() -> None:
    async def stalls(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
    ) -> None:
        if head.startswith(b"GET"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc")
        await reader.read()

    async def body() -> None:
        async with origin(stalls) as o, relay(o, Timeouts(idle=0.3)) as (gateway, port):
            with suppress(ConnectionResetError):
                await talk(port, get())
            assert (await gateway.outcome()).fault is Fault.IDLE
            ask = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"
            assert status(await talk(port, ask)) == 408
            assert (await gateway.outcome(2)).fault is Fault.CLIENT_IDLE

    go(body)


def test_a_slow_upload_longer_than_the_first_byte_timeout_is_no_timeout() -> None:
    async def body() -> None:
        async with (
            origin(echo_length) as o,
            relay(o, Timeouts(first_byte=0.6)) as (_, port),
            connected(port) as (reader, writer),
        ):
            ask = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nConnection: close\r\n\r\n"
            writer.write(ask)
            for _ in range(12):
                writer.write(b"x")
                await asyncio.sleep(0.1)
            assert (await reader.read()).startswith(b"HTTP/1.1 200")

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


def test_a_client_that_resets_at_any_moment_leaves_the_relay_serving() -> None:
    async def body() -> None:
        async with origin() as o, relay(o) as (_, port):
            for cut in (1, 10, 30, 60):
                raw = socket.create_connection(("127.0.0.1", port))
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                raw.sendall(get("/", "shop.localhost", "X: y")[:cut])
                await asyncio.sleep(0.02)
                raw.close()
            assert status(await talk(port, get())) == 200

    go(body)
