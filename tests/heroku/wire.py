"""A small threaded HTTP server on 127.0.0.1 whose answers are written byte by byte, by a test."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from truegreen.heroku import HerokuClient
from truegreen.secret import Secret

from .platform_double import TOKEN, Time


@dataclass
class Asked:
    """One request as it came over the wire. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = field(repr=False)


class Wire:
    """``script(asked, n, say)`` answers request number n (from 0) by calling ``say(bytes)``.

    When it returns, the connection is closed; when it returns "reset", it is reset instead.
    """

    def __init__(self, script: Callable[[Asked, int, Callable[[bytes], None]], str | None]) -> None:
        self._script = script
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.asked: list[Asked] = []
        self.closing = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reader:
            connection.settimeout(20)
            try:
                method, path, _ = reader.readline().decode().split(" ")
                headers: dict[str, str] = {}
                while (line := reader.readline().decode().rstrip("\r\n")) != "":
                    name, _, value = line.partition(":")
                    headers[name.lower()] = value.strip()
                body = reader.read(int(headers.get("content-length", "0")))
                asked = Asked(method, path, headers, body)
                self.asked.append(asked)
                how = self._script(asked, len(self.asked) - 1, connection.sendall)
            except (OSError, ValueError):
                return
            if how == "reset":
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def head(status: str = "200 OK", kind: str = "text/plain", **headers: str) -> bytes:
    """The head of a chunked answer; ``content_range="…"`` and the like become headers."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", "Transfer-Encoding: chunked"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


END = b"0\r\n\r\n"


def whole(status: str, body: bytes, kind: str = "application/json") -> bytes:
    """A whole answer that closes its connection."""
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def stream(
    wire: Wire, *, deadline: float = 60.0, time: Time | None = None, **kw: Any
) -> Iterator[bytes]:
    """What a client reads from an output stream of ``wire``."""
    timing: dict[str, Any] = {"sleep": lambda _: None}
    if time is not None:
        timing = {"sleep": time.sleep, "clock": time.clock}
    client = HerokuClient(wire.url, Secret(TOKEN), **timing)
    with client:
        yield from client.stream(f"{wire.url}/streams/unguessable", deadline, **kw)
