"""One TCP connection as a proxy wants it: what came, back pressure both ways, and interruption.

A protocol of asyncio's rather than its streams: no task, no copy and no timer a read. One reader
and one writer at a time. No HTTP lives here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

_KEPT = 256 * 1024  # bytes that may wait to be read before the peer is made to wait


class Wire(asyncio.Protocol):
    """``transport`` has it made; ``loop`` is where it lives from then on."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._paused = False
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._failure: Exception | None = None
        self._closed = False
        self._closing: asyncio.Future[None] | None = None  # who waits for the end
        self.ended = False
        """Nothing more will come."""
        self.on_end: Callable[[], None] | None = None
        """Called once when the peer has ended or broken off the connection."""
        self.on_data: Callable[[bytes], None] | None = None
        """Gets what comes, instead of those who read; to be set while nothing is waiting."""
        self.on_drained: Callable[[], None] | None = None
        """Called when the peer has taken what was written, after it had not."""
        self.stalled = False
        """The peer does not take what was written."""

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.loop = asyncio.get_running_loop()
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self.on_data is not None:
            self.on_data(data)
            return
        self._waiting += data
        if len(self._waiting) > _KEPT and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> bool:
        self._end(None)
        return True  # we may still have something to say

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        _wake(self._closing)
        self._end(exc or ConnectionResetError("the connection is closed"))
        _wake(self._writer)

    def pause_writing(self) -> None:
        self.stalled = True

    def resume_writing(self) -> None:
        self.stalled = False
        _wake(self._writer)
        if self.on_drained:
            self.on_drained()

    def _end(self, why: Exception | None) -> None:
        if isinstance(why, OSError) and not self.ended:
            self._failure = self._failure or why
        if not self.ended:
            self.ended = True
            if self.on_end:
                self.on_end()
        _wake(self._reader)

    # reading

    @property
    def waiting(self) -> bytearray:
        """What came and was not taken yet. Read it only; the next event may change it."""
        return self._waiting

    @property
    def quiet(self) -> bool:
        """Open, not failed, and nothing has come: fit for another exchange."""
        return not (self.ended or self._failure or self._waiting)

    def take(self, size: int) -> bytes:
        """The first ``size`` bytes of what is waiting."""
        data = bytes(memoryview(self._waiting)[:size])
        del self._waiting[:size]
        if self._paused and len(self._waiting) <= _KEPT:
            self._paused = False
            self.transport.resume_reading()
        return data

    def put_back(self, data: bytes) -> None:
        """Before all that is waiting."""
        self._waiting[:0] = data

    async def more(self) -> bool:
        """Returns when more has come than there was; False at the end. Raises OSError for a reset,
        and what `fail` was given."""
        had = len(self._waiting)
        while len(self._waiting) == had:
            if self._failure:
                raise self._failure
            if self.ended:
                return False
            if self._paused:  # whoever waits for more has to have it
                self._paused = False
                self.transport.resume_reading()
            self._reader = self.loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return True

    async def read(self) -> bytes:
        """All that is waiting, or comes next; empty at the end. Raises as `more` does."""
        if not self._waiting:
            await self.more()
        return self.take(len(self._waiting))

    # writing

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    async def drain(self) -> None:
        """Returns when the peer has taken most of what was written. Raises as `more` does."""
        if self._closed:
            raise self._failure or ConnectionResetError("the connection is closed")
        while self.stalled:
            if self._failure:
                raise self._failure
            self._writer = self.loop.create_future()
            try:
                await self._writer
            finally:
                self._writer = None
            if self._closed:
                raise self._failure or ConnectionResetError("the connection is closed")

    # ending

    def fail(self, error: Exception) -> None:
        """Whoever reads or writes, now or later, gets ``error``."""
        self._failure = error
        _wake(self._reader)
        _wake(self._writer)

    def close(self) -> None:
        """After what was written has gone out. Does not wait: see `closed`."""
        self.transport.close()

    def abort(self) -> None:
        self.transport.abort()

    async def closed(self) -> None:
        if not self._closed:
            self._closing = self._closing or self.loop.create_future()
            await asyncio.shield(self._closing)


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
