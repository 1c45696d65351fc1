"""HTTP/1.1 as values, and the two ends of a connection: what the router and the edge are built on.

Headers are lists of raw (name, value) pairs: order, spelling and duplicates are kept, because some
of the attacks that we are about consist in nothing else. No routing and no relaying lives here.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from errno import EISCONN
from functools import cached_property
from typing import NamedTuple, Protocol

import h11

from truegreen.embedded.transport import SocketTransport
from truegreen.embedded.wire import Wire

Headers = list[tuple[bytes, bytes]]

HEAD_LIMIT = 64 * 1024
"""Bytes of a request's line and headers; more is answered with 431."""

_HOP_BY_HOP = frozenset(  # RFC 9110 section 7.6.1, and Proxy-Connection, which some still send
    b"connection proxy-connection keep-alive te trailer transfer-encoding upgrade "
    b"proxy-authorization proxy-authenticate expect".split()
)
_NEVER_NAMED = frozenset([b"host", b"content-length"])  # `Connection: host` must not remove it


class ClientGone(Exception):
    """The client closed or reset its connection."""


class BadRequest(Exception):
    """What the client sent is no HTTP/1.1. ``status`` is the answer to it."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Fault(StrEnum):
    """Why an exchange with the origin ended badly."""

    REFUSED = "connection refused"
    CONNECT_TIMEOUT = "connect timeout"
    FIRST_BYTE = "no response in time"
    CLOSED = "connection closed without response"
    MALFORMED = "malformed response"
    INTERRUPTED = "response interrupted"
    IDLE = "idle connection"
    CLIENT_GONE = "client request interrupted"
    CLIENT_IDLE = "client connection idle"
    CLIENT_MALFORMED = "malformed request"


class OriginFailed(Exception):
    """The origin did not do its part."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True)
class Head:
    """A request without its body. ``peer``: the address of who connected; ``host``: as `host_of`
    finds it in the headers."""

    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    http_version: bytes
    peer: str
    host: str

    def values(self, name: bytes) -> list[bytes]:
        """Every value of the header, one a line, in order. ``name`` in lower case."""
        return values(self.headers, name)

    @property
    def wants_websocket(self) -> bool:
        return self.method == b"GET" and tokens(self.values(b"upgrade")) == [b"websocket"]


@dataclass(frozen=True)
class Forward:
    """Send the request there, with these end-to-end headers. ``label``: what the gateway wants to
    be reminded of when it is through."""

    address: tuple[str, int]
    headers: Sequence[tuple[bytes, bytes]] = field(repr=False)
    label: object = None


@dataclass(frozen=True)
class Answer:
    """A response of our own. Content-Length is added; ``note`` is for the log."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes = field(repr=False)
    note: str = ""


class Outcome(NamedTuple):
    """How an exchange ended: ``status`` 0 when nothing was sent; times in seconds."""

    status: int
    body_bytes: int
    connect: float
    service: float
    fault: Fault | None


class Gateway(Protocol):
    """What makes a relay a router, or an edge."""

    def route_now(self, head: Head) -> Forward | Answer | None:
        """Where to; None when that has to be waited for: `route` tells."""

    async def route(self, head: Head) -> Forward | Answer:
        """Where to; asked again (within the retry time) when the origin refused to connect."""

    def fault(self, head: Head, fault: Fault) -> Answer:
        """What the client gets when the origin gave nothing."""

    def response_headers(self, head: Head, headers: Headers) -> Headers:
        """The origin's end-to-end headers as the client shall see them."""

    def finished(self, head: Head, plan: Forward | Answer | None, outcome: Outcome) -> None:
        """Called once an exchange, whatever came of it; ``plan``: what route said last."""


def values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    """Every value of the header ``name`` (lower case), in order."""
    return [value for key, value in headers if key.lower() == name]


def host_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The Host header as it came (may hold a port); empty when HTTP/1.0 sent none."""
    found = values(headers, b"host")
    return found[0].decode("latin-1").strip() if found else ""


def without(headers: Iterable[tuple[bytes, bytes]], *names: bytes) -> Headers:
    """All but the headers called so (lower case); WSGI reads ``_`` and ``-`` alike: so here."""
    drop = set(names)
    return [pair for pair in headers if pair[0].lower().replace(b"_", b"-") not in drop]


def tokens(lines: Iterable[bytes]) -> list[bytes]:
    """The members of a comma-separated header, in lower case."""
    return [t for line in lines for part in line.split(b",") if (t := part.strip().lower())]


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Without what is meant for this connection only, also what Connection itself names.

    A Content-Length beside a Transfer-Encoding goes too: RFC 9112 section 6.3, against smuggling.
    """
    pairs = list(headers)
    if _HOP_BY_HOP.isdisjoint([name.lower() for name, _ in pairs]):
        return pairs
    drop = _HOP_BY_HOP | (set(tokens(values(pairs, b"connection"))) - _NEVER_NAMED)
    if values(pairs, b"transfer-encoding"):
        drop |= {b"content-length"}
    return [pair for pair in pairs if pair[0].lower() not in drop]


class ClientSide:
    """The connection that somebody opened to us. Raises ClientGone and BadRequest."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        peer = wire.transport.get_extra_info("peername")
        self.peer: str = peer[0] if isinstance(peer, tuple) else ""
        self._head_only = False

    @cached_property
    def protocol(self) -> h11.Connection:
        return h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT)

    @property
    def untouched(self) -> bool:
        """Is everything that h11 was given used up, and the next request still to come?"""
        return self.protocol.their_state is h11.IDLE and not self.protocol.trailing_data[0]

    def forget(self) -> None:
        """What h11 knew of requests that are through."""
        del self.protocol

    async def next_event(self) -> h11.Event | type[h11.PAUSED]:
        while True:
            try:
                event = self.protocol.next_event()
            except h11.RemoteProtocolError as error:
                raise BadRequest(error.error_status_hint) from error
            if event is not h11.NEED_DATA:
                assert not isinstance(event, type) or event is h11.PAUSED
                return event
            if self.protocol.they_are_waiting_for_100_continue:
                await self.send(h11.InformationalResponse(status_code=100, headers=[]))
            self.protocol.receive_data(await self.read())

    def next_cycle(self) -> bool:
        """After a request and its response: can there be another one?"""
        if self.protocol.our_state is not h11.DONE or self.protocol.their_state is not h11.DONE:
            return False
        self.protocol.start_next_cycle()
        return True

    async def next_head(self) -> Head | None:
        """The next request; None when the client is done."""
        self._head_only = False
        event = await self.next_event()
        if not isinstance(event, h11.Request):
            return None
        self._head_only = event.method == b"HEAD"
        target, pairs = event.target, event.headers.raw_items()
        if target[:7].lower() == b"http://":  # RFC 9112 section 3.2.2: it outranks Host
            authority, slash, path = target[7:].partition(b"/")
            target = slash + path or b"/"
            pairs = [(b"Host", authority), *without(pairs, b"host")]
        version, host = event.http_version, host_of(pairs)
        return Head(event.method, target, tuple(pairs), version, self.peer, host)

    async def read(self) -> bytes:
        try:
            return await self.wire.read()
        except OSError as error:
            raise ClientGone from error

    async def send(self, event: h11.Event) -> None:
        data = self.protocol.send(event)
        if data:
            await self.write(data)

    async def write(self, data: bytes) -> None:
        try:
            self.wire.write(data)
            await self.wire.drain()
        except OSError as error:
            raise ClientGone from error

    async def answer(self, answer: Answer) -> None:
        """Send the whole response, unless another one has begun. Closes what cannot go on."""
        if self.protocol.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        headers = [*answer.headers, (b"Content-Length", str(len(answer.body)).encode())]
        if self.protocol.their_state is not h11.DONE:
            headers.append((b"Connection", b"close"))
        await self.send(h11.Response(status_code=answer.status, headers=headers))
        if answer.body and not self._head_only:
            await self.send(h11.Data(data=answer.body))
        await self.send(h11.EndOfMessage())

    def eof(self) -> None:
        with suppress(OSError, RuntimeError):
            self.wire.transport.write_eof()

    def abort(self) -> None:
        """Break the connection off with a reset: to HTTP/1.0 a mere end means a whole response."""
        sock = self.wire.transport.get_extra_info("socket")
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.wire.abort()

    async def close(self) -> None:
        """Close without a reset that would eat the response: read a little of what still comes."""
        with suppress(OSError, RuntimeError, TimeoutError, ClientGone):
            async with asyncio.timeout(1.0):
                self.eof()
                for _ in range(16):
                    if not await self.read():
                        break
        await _closed(self.wire)


class OriginSide:
    """A connection that we opened, for one exchange by h11. Raises OriginFailed.

    ``address`` of `connect`: IPv4 and port."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._at_end = False

    @classmethod
    async def connect(cls, address: tuple[str, int], timeout: float) -> OriginSide:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                # with a socket of our own: nothing is to be looked up, and it is half the time
                sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
                try:
                    sock.setblocking(False)
                    # over the loopback a connection mostly stands when the second call asks for it
                    if sock.connect_ex(address) and sock.connect_ex(address) not in (0, EISCONN):
                        await loop.sock_connect(sock, address)
                    wire = Wire()
                    SocketTransport(sock, wire)
                except BaseException:
                    sock.close()
                    raise
        except TimeoutError as error:
            raise OriginFailed(Fault.CONNECT_TIMEOUT) from error
        except OSError as error:
            raise OriginFailed(Fault.REFUSED) from error
        told = wire.transport.get_extra_info
        if told("sockname") == told("peername"):
            wire.abort()  # nobody listens: TCP met itself (simultaneous open)
            raise OriginFailed(Fault.REFUSED)
        return cls(wire)

    @cached_property
    def protocol(self) -> h11.Connection:
        return h11.Connection(h11.CLIENT, max_incomplete_event_size=4 * HEAD_LIMIT)

    async def next_event(self) -> h11.Event | type[h11.PAUSED]:
        while True:
            try:
                event = self.protocol.next_event()
            except h11.RemoteProtocolError as error:
                fault = Fault.CLOSED if self._at_end else Fault.MALFORMED
                raise OriginFailed(fault) from error
            if event is not h11.NEED_DATA:
                assert not isinstance(event, type) or event is h11.PAUSED
                return event
            self.protocol.receive_data(await self.read())

    async def read(self) -> bytes:
        try:
            data = await self.wire.read()
        except OSError as error:
            raise OriginFailed(Fault.CLOSED) from error
        self._at_end = not data
        return data

    async def send(self, event: h11.Event) -> None:
        data = self.protocol.send(event)
        if data:
            await self.write(data)

    async def write(self, data: bytes) -> None:
        try:
            self.wire.write(data)
            await self.wire.drain()
        except OSError as error:
            raise OriginFailed(Fault.CLOSED) from error

    def eof(self) -> None:
        with suppress(OSError, RuntimeError):
            self.wire.transport.write_eof()

    async def close(self) -> None:
        await _closed(self.wire)


async def settle(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel what still runs of them, wait for it, and let what they raised be known."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.exception()


async def _closed(wire: Wire) -> None:
    wire.close()
    try:
        async with asyncio.timeout(1.0):
            await wire.closed()
    except TimeoutError:
        wire.abort()
