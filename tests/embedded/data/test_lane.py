"""What goes by callbacks alone is what would have gone by h11, and nothing mixes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from truegreen.embedded.http1 import Fault
from truegreen.embedded.relay import Timeouts

from .relay_stage import echo_length, go, relay
from .test_relay_reuse import OK, keeping
from .web import LONG, connected, origin

ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def answer(reader: asyncio.StreamReader, *, body: bool = True) -> bytes:
    """The next response on a kept connection, by its length."""
    async with asyncio.timeout(LONG):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return head + (await reader.readexactly(length) if body else b"")


def test_a_connection_changes_between_the_lane_and_h11_and_keeps_its_order() -> None:
    async def either(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
    ) -> None:
        if head.startswith(b"POST"):
            await echo_length(reader, writer, head)
        else:
            writer.write(OK)

    async def body() -> None:
        post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
        async with (
            origin(either) as o,
            relay(o) as (gateway, port),
            connected(port) as (reader, writer),
        ):
            for _ in range(3):
                writer.write(ASK)
                assert (await answer(reader)).endswith(b"\r\n\r\nok")
                writer.write(post)
                assert (await answer(reader)).endswith(b"\r\n\r\n3:38")
            writer.write(ASK + post + ASK + ASK + post)  # and all at once
            ends = [(await answer(reader)).rpartition(b"\r\n")[2] for _ in range(5)]
            assert ends == [b"ok", b"3:38", b"ok", b"ok", b"3:38"]
            await gateway.outcome(11)
            assert {outcome.fault for outcome in gateway.outcomes} == {None}

    go(body)


def test_a_slow_client_holds_the_origin_and_the_connection_to_it_lives_on() -> None:
    size, sent = 20_000_000, 0

    async def large(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
    ) -> None:
        nonlocal sent
        while head:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size // 100_000):
                writer.write(b"x" * 100_000)
                await writer.drain()
                sent += 100_000
            head = await reader.readuntil(b"\r\n\r\n")

    async def body() -> None:
        async with (
            origin(large) as o,
            relay(o) as (gateway, port),
            connected(port) as (reader, writer),
        ):
            for number in (1, 2):
                writer.write(ASK)
                await asyncio.sleep(0.3)
                assert sent < size * number - 1_000_000  # what nobody reads is not piled up here
                assert len(await answer(reader)) > size
            assert len(o.heads) == 1  # of one connection: the other request was read by `large`
            assert [outcome.body_bytes for outcome in gateway.outcomes] == [size, size]

    go(body)


def test_an_answer_whose_head_comes_in_pieces_is_whole() -> None:
    async def pieces(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
    ) -> None:
        for piece in (OK[:9], OK[9:30], OK[30:-1], OK[-1:]):
            writer.write(piece)
            await asyncio.sleep(0.01)

    async def body() -> None:
        async with (
            origin(pieces) as o,
            relay(o) as (gateway, port),
            connected(port) as (reader, writer),
        ):
            writer.write(ASK)
            assert (await answer(reader)).endswith(b"\r\n\r\nok")
            assert gateway.outcomes[0].body_bytes == 2

    go(body)


def test_after_an_answer_of_our_own_the_connection_goes_on() -> None:
    own = b" /own HTTP/1.1\r\nHost: x\r\n\r\n"

    async def body() -> None:
        async with origin() as o, relay(o) as (_, port), connected(port) as (reader, writer):
            writer.write(b"GET" + own)
            assert (await answer(reader)).endswith(b"\r\n\r\nteapot")
            writer.write(b"HEAD" + own + ASK)
            assert b" 418 " in await answer(reader, body=False)
            assert (await answer(reader)).endswith(b"\r\n\r\nok")

    go(body)


def test_a_silent_origin_is_told_as_that_and_the_client_may_ask_again() -> None:
    async def silent(reader: asyncio.StreamReader, *_: object) -> None:
        await reader.read()

    async def body() -> None:
        async with (
            origin(silent) as o,
            relay(o, Timeouts(first_byte=0.2)) as (gateway, port),
            connected(port) as (reader, writer),
        ):
            for number in (1, 2):
                writer.write(ASK)
                assert (await answer(reader)).endswith(Fault.FIRST_BYTE.value.encode())
                assert (await gateway.outcome(number)).fault is Fault.FIRST_BYTE
                assert 0.2 <= gateway.outcomes[-1].service < LONG

    go(body)


@pytest.mark.parametrize("before", [b"", ASK])
def test_a_client_that_asks_nothing_for_too_long_is_let_go(before: bytes) -> None:
    async def body() -> None:
        async with (
            origin() as o,
            relay(o, Timeouts(request_head=0.2)) as (_, port),
            connected(port) as (reader, writer),
        ):
            writer.write(before)
            async with asyncio.timeout(LONG):
                assert (await reader.read()).endswith(b"ok" if before else b"")

    go(body)


def test_what_was_remembered_of_headers_stays_what_it_was() -> None:
    async def body() -> None:
        reply = OK.replace(b"\r\n\r\n", b"\r\nX-Mine: 1\r\n\r\n")
        script, had = keeping(reply)
        async with origin(script) as o, relay(o) as (_, port):
            said = []
            for end in (b"", b"Connection: close\r\n", b""):
                async with connected(port) as (reader, writer):
                    writer.write(ASK[:-2] + end + b"\r\n")
                    said.append(await answer(reader))
            assert said[0] == said[2] == reply
            assert b"Connection: close" in said[1]
            assert had == [3]

    go(body)


def test_after_thousands_of_requests_nothing_is_left_of_them() -> None:
    def held() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), len(asyncio.all_tasks())

    async def ask(port: int, many: int, end: bytes) -> None:
        for _ in range(many):
            async with connected(port) as (reader, writer):
                for _ in range(25):
                    writer.write(ASK)
                    assert (await answer(reader)).endswith(b"ok")
                writer.write(ASK[:-2] + end)
                await answer(reader)

    async def body() -> None:
        script, _ = keeping(OK)
        async with origin(script) as o, relay(o, Timeouts(keep=0.1)) as (gateway, port):
            kinds = (b"\r\n", b"Connection: close\r\n\r\n", b"Expect: x\r\n\r\n")
            before = held()
            await asyncio.gather(*[ask(port, 13, kind) for kind in kinds * 2])
            await gateway.outcome(2028)
            while held() != before:  # the pool lets go after `keep`
                await asyncio.sleep(0.05)

    go(body)


def test_a_client_that_ended_behind_its_requests_is_let_go_at_once() -> None:
    async def body() -> None:
        async with origin(echo_length) as o, relay(o) as (_, port):
            async with asyncio.timeout(LONG / 2):
                async with connected(port) as (reader, writer):
                    writer.write(
                        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" + ASK
                    )
                    writer.write_eof()
                    with suppress(ConnectionResetError):
                        await reader.read()

    go(body)
