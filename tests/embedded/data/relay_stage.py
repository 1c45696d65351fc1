"""A relay between raw sockets, with a gateway that adds nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

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

from .web import LONG, Origin


class Plain:
    """A gateway that adds nothing: everything goes to one origin."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.outcomes: list[Outcome] = []

    async def route(self, head: Head) -> Forward | Answer:
        return self.route_now(head)

    def route_now(self, head: Head) -> Forward | Answer:
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
