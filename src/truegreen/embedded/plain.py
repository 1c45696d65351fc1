"""The plainest HTTP/1.1 there is, read and written quickly; and connections that are used again.

A GET or HEAD without a body, a response with its length. Whatever is not exactly that is no match
here and is h11's to judge: nothing is guessed, so nothing can be smuggled past it.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from truegreen.embedded.http1 import HEAD_LIMIT, Head, Headers, end_to_end, host_of
from truegreen.embedded.wire import Wire

_FIELDS = rb"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n)*)\r\n"
_REQUEST = re.compile(rb"(GET|HEAD) (/[\x21-\x7e]*) HTTP/1\.1\r\n" + _FIELDS)
_RESPONSE = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2})((?: [\t\x20-\x7e\x80-\xff]*)?)\r\n" + _FIELDS)
_LENGTH = re.compile(rb"[0-9]{1,15}")
_FRAMING = frozenset([
    b"transfer-encoding", b"content-length", b"upgrade", b"expect", b"te", b"trailer",
    b"proxy-connection",
])  # fmt: skip
_BLANK = re.compile(rb"\n\r?\n")  # h11 takes bare line feeds too
_NO_BODY = frozenset([b"204", b"304"])
_REMEMBERED = 4096  # bytes of headers

Fields = tuple[tuple[bytes, bytes], ...]


class PlainRequest(NamedTuple):
    """``size``: bytes of it; ``keep``: the client wants its connection kept."""

    head: Head
    size: int
    keep: bool


@dataclass(frozen=True)
class PlainResponse:
    """``headers``: the end-to-end ones; ``size``: bytes of line and headers; ``length``: of the
    body that follows them; ``keep``: the origin keeps the connection."""

    status: int
    reason: bytes
    headers: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    size: int
    length: int
    keep: bool


def request(data: bytes, peer: str) -> PlainRequest | None:
    """The request that ``data`` begins with, when it is whole and plain."""
    match = _REQUEST.match(data, 0, HEAD_LIMIT)
    if match is None:
        return None
    block = match[3]
    read = _read_request if len(block) <= _REMEMBERED else _read_request.__wrapped__
    if (fields := read(block)) is None:
        return None
    headers, host, keep = fields
    return PlainRequest(Head(match[1], match[2], headers, b"1.1", peer, host), match.end(), keep)


def response(data: bytes, method: bytes) -> PlainResponse | None:
    """The head of the response that ``data`` begins with, when it is whole and plain."""
    match = _RESPONSE.match(data, 0, HEAD_LIMIT)
    if match is None:
        return None
    block = match[3]
    read = _read_response if len(block) <= _REMEMBERED else _read_response.__wrapped__
    if (fields := read(block)) is None:
        return None
    headers, length, keep = fields
    if method == b"HEAD" or match[1] in _NO_BODY:
        length = 0
    if length < 0:
        return None
    return PlainResponse(int(match[1]), match[2], headers, match.end(), length, keep)


# Who asks over a kept connection mostly sends the same headers again, and a server's change once a
# second: what the last ones meant is remembered, unless they are large.


@lru_cache(maxsize=128)
def _read_request(block: bytes) -> tuple[Fields, str, bool] | None:
    """The headers, the host, and whether the client wants its connection kept."""
    pairs, keep, hosts = _pairs(block), True, 0
    for name, value in pairs:
        key = name.lower()
        if key in _FRAMING:
            return None
        if key == b"host":
            hosts += 1
        elif key == b"connection":
            keep = keep and value.lower() == b"keep-alive"
            if not keep and value.lower() != b"close":
                return None
    return (tuple(pairs), host_of(pairs), keep) if hosts == 1 else None


@lru_cache(maxsize=128)
def _read_response(block: bytes) -> tuple[Fields, int, bool] | None:
    """The end-to-end headers, Content-Length or -1, and whether the connection is kept."""
    pairs, keep, length = _pairs(block), True, -1
    for name, value in pairs:
        key = name.lower()
        if key == b"content-length":
            if length >= 0 or not _LENGTH.fullmatch(value):
                return None
            length = int(value)
        elif key == b"connection":
            keep = keep and value.lower() == b"keep-alive"
            if not keep and value.lower() != b"close":
                return None
        elif key in _FRAMING:
            return None
    return tuple(end_to_end(pairs)), length, keep


def _pairs(block: bytes) -> Headers:
    lines = block.split(b"\r\n")
    parts = [line.partition(b":") for line in lines[:-1]]
    return [(name, value.strip(b" \t")) for name, _, value in parts]


def head_ended(data: bytes) -> bool:
    """Does ``data`` hold a whole head, or more than one may have?"""
    return data.find(b"\r\n\r\n") >= 0 or len(data) > HEAD_LIMIT or bool(_BLANK.search(data))


def request_head(head: Head, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"%s %s HTTP/1.1\r\n%s\r\n" % (head.method, head.target, lines(headers))


def response_head(response: PlainResponse, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"HTTP/1.1 %d%s\r\n%s\r\n" % (response.status, response.reason, lines(headers))


def lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b": ".join(pair) + b"\r\n" for pair in headers])


class Pool:
    """Connections to origins that wait for their next request, for ``idle`` seconds at most."""

    def __init__(self, idle: float) -> None:
        self._idle = idle
        self._wires: dict[tuple[str, int], list[tuple[float, Wire]]] = defaultdict(list)
        self._sweep: asyncio.TimerHandle | None = None

    def take(self, address: tuple[str, int]) -> Wire | None:
        """One that is still good, the youngest first."""
        wires = self._wires.get(address)
        while wires:
            _, wire = wires.pop()
            if wire.quiet:
                return wire
            wire.abort()
        return None

    def put(self, address: tuple[str, int], wire: Wire) -> None:
        """``wire`` is between two requests."""
        loop = asyncio.get_running_loop()
        self._wires[address].append((loop.time() + self._idle, wire))
        if self._sweep is None:
            self._sweep = loop.call_later(self._idle, self._drop_old)

    def _drop_old(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweep = None
        now = loop.time()
        for address, wires in list(self._wires.items()):
            for until, wire in wires:
                if until <= now or wire.ended:
                    wire.close()
            kept = [(until, wire) for until, wire in wires if until > now and not wire.ended]
            if kept:
                self._wires[address] = kept
            else:
                del self._wires[address]
        if self._wires:
            self._sweep = loop.call_later(self._idle, self._drop_old)

    def close(self) -> None:
        if self._sweep:
            self._sweep.cancel()
            self._sweep = None
        for wires in self._wires.values():
            for _, wire in wires:
                wire.abort()
        self._wires.clear()
