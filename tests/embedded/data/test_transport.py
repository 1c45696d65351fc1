"""The socket that is a transport at once means what asyncio's own means."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest

from truegreen.embedded.transport import Readers, SocketTransport


class Told(asyncio.Protocol):
    """Everything that a transport tells, in order."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.data = b""
        self.error: Exception | None = None
        self.lost = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.data += data

    def eof_received(self) -> bool:
        self.events.append("eof")
        return True

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append("lost")
        self.error = exc
        self.lost.set()


Scene = Callable[[SocketTransport, Told, socket.socket], Awaitable[None]]


def play(scene: Scene) -> None:
    """Runs ``scene`` with a transport, what it told, and the peer's socket: once with the loop's
    own readers, once with `Readers`."""

    async def run(*, own: bool) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            ours = socket.create_connection(server.getsockname())
            peer, _ = server.accept()
        ours.setblocking(False)
        peer.setblocking(False)
        told = Told()
        readers = Readers() if own else None
        transport = SocketTransport(ours, told, readers)
        try:
            async with asyncio.timeout(30):
                await scene(transport, told, peer)
        finally:
            transport.abort()
            await told.lost.wait()
            peer.close()
            if readers:
                readers.close()
        assert told.events.count("lost") == 1

    asyncio.run(run(own=False))
    asyncio.run(run(own=True))


async def all_of(peer: socket.socket, size: int = -1) -> bytes:
    """What ``peer`` gets: ``size`` bytes, or until the end."""
    loop, got = asyncio.get_running_loop(), b""
    while size < 0 or len(got) < size:
        data = await loop.sock_recv(peer, 65536)
        if not data:
            break
        got += data
    return got


def test_what_does_not_fit_waits_and_the_writer_is_told() -> None:
    async def scene(transport: SocketTransport, told: Told, peer: socket.socket) -> None:
        text = bytes(range(256)) * 64_000
        transport.write(text[:100])
        transport.write(text[100:])
        transport.write(b"!")
        assert told.events == ["pause"]
        assert await all_of(peer, len(text) + 1) == text + b"!"
        assert told.events == ["pause", "resume"]

    play(scene)


@pytest.mark.parametrize("end", ["close", "write_eof"])
def test_what_was_written_goes_out_before_the_end(end: str) -> None:
    async def scene(transport: SocketTransport, told: Told, peer: socket.socket) -> None:
        transport.write(b"x" * 8_000_000)
        getattr(transport, end)()
        assert len(await all_of(peer)) == 8_000_000
        assert ("lost" in told.events) is (end == "close")
        if end == "write_eof":
            await asyncio.get_running_loop().sock_sendall(peer, b"still heard")
            while told.data != b"still heard":
                await asyncio.sleep(0.001)
            with pytest.raises(RuntimeError):
                transport.write(b"more")

    play(scene)


def test_a_reader_that_is_paused_gets_nothing_until_it_goes_on_and_then_the_end() -> None:
    async def scene(transport: SocketTransport, told: Told, peer: socket.socket) -> None:
        transport.pause_reading()
        peer.send(b"hello")
        peer.shutdown(socket.SHUT_WR)
        await asyncio.sleep(0.02)
        assert told.data == b""
        transport.resume_reading()
        while "eof" not in told.events:
            await asyncio.sleep(0.001)
        assert told.data == b"hello"
        transport.resume_reading()  # after the end there is nothing to read
        transport.write(b"and back")
        assert await all_of(peer, 8) == b"and back"

    play(scene)


def test_a_reset_is_told_once_with_its_error_and_later_words_are_lost() -> None:
    async def scene(transport: SocketTransport, told: Told, peer: socket.socket) -> None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        await told.lost.wait()
        assert isinstance(told.error, ConnectionResetError)
        transport.write(b"too late")
        transport.close()
        transport.abort()
        assert transport.is_closing()

    play(scene)


def test_abort_drops_what_was_not_sent() -> None:
    async def scene(transport: SocketTransport, told: Told, peer: socket.socket) -> None:
        transport.write(b"x" * 32_000_000)
        transport.abort()
        await told.lost.wait()
        assert told.error is None
        assert len(await all_of(peer)) < 32_000_000

    play(scene)
