"""Both ends of a proxy as raw sockets: what was really sent is what the tests look at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from truegreen.embedded.dynos import DynoState, State

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[None]]
LONG = 60.0


class Origin:
    """Reads each request's head, keeps it, and lets a script answer."""

    def __init__(self, script: Script) -> None:
        self.heads: list[bytes] = []
        self.port = 0
        self._script = script
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def lines(self) -> list[str]:
        """The last request's lines, without the final empty ones."""
        return self.heads[-1].decode("latin-1").rstrip("\r\n").split("\r\n")

    def header(self, name: str) -> list[str]:
        found = [line.partition(": ") for line in self.lines[1:]]
        return [value for key, _, value in found if key.lower() == name.lower()]

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            await self._script(reader, writer, head)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def says(response: bytes) -> Script:
    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
    ) -> None:
        writer.write(response)

    return script


OK = says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


@asynccontextmanager
async def origin(script: Script = OK) -> AsyncIterator[Origin]:
    made = Origin(script)
    await made.start()
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def connected(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def talk(port: int, request: bytes) -> bytes:
    """Send the bytes, read until the other side closes. Ask for `Connection: close`."""
    async with asyncio.timeout(LONG), connected(port) as (reader, writer):
        writer.write(request)
        return await reader.read()


def get(path: str = "/", host: str = "shop.localhost", *headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *headers, "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def status(response: bytes) -> int:
    return int(response.split(b" ", 2)[1])


def header(response: bytes, name: str) -> list[str]:
    lines = response.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    found = [line.partition(": ") for line in lines]
    return [value for key, _, value in found if key.lower() == name.lower()]


class FixedDynos:
    """Dynos as a test wants them to be."""

    def __init__(self, *dynos: DynoState) -> None:
        self.dynos = list(dynos)

    def serving(self, app: str) -> list[DynoState]:
        return [dyno for dyno in self.dynos if dyno.app == app]


def dyno(state: State, port: int | None = None, app: str = "shop", kind: str = "web") -> DynoState:
    now = datetime.now(UTC)
    name = f"{kind}.1"
    return DynoState("id", name, app, kind, state, "r", 1, "x", None, port, now, now, "")
