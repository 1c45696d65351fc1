"""The reverse proxy: takes connections, keeps them alive, and sees each request to its way.

Plain requests go by lane.py, all others by an Exchange each. What makes it a router or an edge is
told by the Gateway; see router.py and edge.py.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Coroutine
from typing import Any

from truegreen.embedded import plain
from truegreen.embedded.exchange import Exchange, plain_text
from truegreen.embedded.http1 import BadRequest, ClientGone, ClientSide, Gateway
from truegreen.embedded.lane import Begun, Lane
from truegreen.embedded.passage import Timeouts
from truegreen.embedded.transport import Listener, Readers, SocketTransport
from truegreen.embedded.wire import Wire

__all__ = ["RelayServer", "Timeouts"]


class RelayServer:
    """Listens, and serves every connection by the gateway's word. Nothing outlives ``close``."""

    def __init__(self, gateway: Gateway, timeouts: Timeouts) -> None:
        self.gateway = gateway
        self.timeouts = timeouts
        self.pool = plain.Pool(timeouts.keep)
        self._listener: Listener | None = None
        self._lanes: set[Lane] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._look: asyncio.TimerHandle | None = None
        shortest = min(timeouts.request_head, timeouts.first_byte, timeouts.idle)
        self._every = min(0.5, shortest / 4)

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises OSError when it is taken."""
        self.readers = Readers()
        try:
            self._listener = Listener(host, port, self.readers, self._connected)
        except OSError:
            self.readers.close()
            raise
        return self._listener.port

    async def close(self) -> None:
        if self._listener:
            self._listener.close()
        for lane in list(self._lanes):
            lane.close()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=5)
        if self._look:
            self._look.cancel()
        self.pool.close()
        if self._listener:
            self._listener = None
            self.readers.close()

    def _connected(self, sock: socket.socket) -> None:
        wire = Wire()
        SocketTransport(sock, wire, self.readers)
        try:
            client = ClientSide(wire)
        except OSError:  # it is gone already
            wire.abort()
        else:
            self._into_lane(client)

    def _into_lane(self, client: ClientSide) -> None:
        lane = Lane(client, self)
        self._lanes.add(lane)
        if self._look is None:
            self._look = client.wire.loop.call_later(self._every, self._check)
        lane.start()

    def _check(self) -> None:
        """One timer for all lanes."""
        now, self._look = time.monotonic(), None
        for lane in list(self._lanes):
            lane.check(now)
        if self._lanes:
            self._look = asyncio.get_running_loop().call_later(self._every, self._check)

    # what the lanes ask

    def leave(self, lane: Lane, begun: Begun | None) -> None:
        self._lanes.discard(lane)
        self._spawn(self._serve(lane.client, begun))

    def part(self, lane: Lane) -> None:
        self._lanes.discard(lane)
        self._spawn(self._part(lane.client))

    def over(self, lane: Lane) -> None:
        self._lanes.discard(lane)

    # off the lanes

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _part(self, client: ClientSide) -> None:
        try:
            await client.close()
        finally:
            client.abort()  # nothing to abort when it was closed

    async def _serve(self, client: ClientSide, begun: Begun | None) -> None:
        """Requests by h11, until the next one can go by the lane again."""
        back = False
        try:
            while await self._serve_one(client, begun):
                begun = None
                if back := client.untouched:
                    break
            if not back:
                await client.close()
        except ClientGone:
            pass
        finally:
            if not back:
                client.abort()  # nothing to abort when it was closed
        if back:
            client.forget()
            self._into_lane(client)

    async def _serve_one(self, client: ClientSide, begun: Begun | None) -> bool:
        """One request; True when the connection can carry another one."""
        try:
            async with asyncio.timeout(self.timeouts.request_head):
                head = await client.next_head()
        except TimeoutError:
            if client.protocol.trailing_data[0]:  # else it is merely idle
                await client.answer(plain_text(408, b"Request Timeout"))
            return False
        except BadRequest as bad:
            await client.answer(plain_text(bad.status, b"Bad Request"))
            return False
        if head is None:
            return False
        if head.method == b"CONNECT":
            await client.answer(plain_text(405, b"Method Not Allowed"))
            return False
        if begun:
            head = begun.head
        return await Exchange(client, head, self.gateway, self.timeouts, begun).run()
