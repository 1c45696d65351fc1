"""The reverse proxy: takes connections, keeps them alive, and has an Exchange for each request.

What makes it a router or an edge is told by the Gateway; see router.py and edge.py. How one
request goes to its origin and back is exchange.py's.
"""

from __future__ import annotations

import asyncio

from truegreen.embedded import plain
from truegreen.embedded.exchange import Exchange, plain_text
from truegreen.embedded.http1 import BadRequest, ClientGone, ClientSide, Gateway, Head
from truegreen.embedded.passage import Timeouts
from truegreen.embedded.wire import Wire

__all__ = ["RelayServer", "Timeouts"]


class RelayServer:
    """Listens, and serves every connection by the gateway's word. Nothing outlives ``close``."""

    def __init__(self, gateway: Gateway, timeouts: Timeouts) -> None:
        self._gateway = gateway
        self._timeouts = timeouts
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._pool = plain.Pool(timeouts.keep)

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises OSError when it is taken."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Wire(self._connected), host, port, backlog=512
        )
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        if self._server:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        if self._connections:
            await asyncio.wait(set(self._connections), timeout=5)
        self._pool.close()
        if self._server:
            await self._server.wait_closed()
            self._server = None

    def _connected(self, wire: Wire) -> None:
        task = asyncio.create_task(self._serve(ClientSide(wire)))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, client: ClientSide) -> None:
        try:
            while await self._serve_one(client):
                pass
            await client.close()
        except ClientGone:
            pass
        finally:
            client.abort()  # nothing to abort when it was closed

    async def _serve_one(self, client: ClientSide) -> bool:
        """One request; True when the connection can carry another one."""
        try:
            found = await self._plain(client)
            if found:
                head: Head | None = found.head
            else:
                async with asyncio.timeout(self._timeouts.request_head):
                    head = await client.next_head()
        except TimeoutError:
            if client.h11.trailing_data[0]:  # else it is merely idle
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
        exchange = Exchange(client, head, self._gateway, self._timeouts, self._pool, found)
        return await exchange.run()

    async def _plain(self, client: ClientSide) -> plain.PlainRequest | None:
        """The next request if it is plain; it is left on the wire. None: h11 has to read it."""
        if not client.untouched:
            return None
        wire = client.wire
        if not wire.waiting:
            try:
                await wire.more_within(self._timeouts.request_head)
            except TimeoutError:
                raise
            except OSError as error:
                raise ClientGone from error
        return plain.request(wire.waiting, client.peer)
