"""Bodies stream both ways, and no client or origin can hang or crash the relay."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest

from truegreen.embedded.http1 import Fault
from truegreen.embedded.relay import Timeouts

from .relay_stage import echo_length, go, relay
from .web import OK, connected, get, header, origin, says, status, talk


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
