"""How h11 carries one request to its origin and the response back: bodies, upgrades, the times.

Both ends are connected already; what becomes of a failure is exchange.py's.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import h11

from truegreen.embedded.http1 import (
    Answer,
    ClientGone,
    ClientSide,
    Fault,
    Forward,
    Gateway,
    Head,
    Headers,
    OriginFailed,
    OriginSide,
    end_to_end,
    settle,
    values,
)


@dataclass(frozen=True)
class Timeouts:
    """Seconds. ``first_byte`` and ``idle`` are Heroku's (devcenter: "Request Timeout").

    ``retry``: how long a refused connection is tried again (the dyno's end may not be known yet).
    ``keep``: how long a connection to an origin waits for its next request; 0: not at all. Shorter
    than gunicorn's own 2 s, so that it is seldom the dyno that ends it.
    """

    connect: float = 5.0
    request_head: float = 60.0
    first_byte: float = 30.0
    idle: float = 55.0
    retry: float = 1.0
    keep: float = 1.0


class Passage:
    """``head``: of the request, which ``client`` has read by h11 when `_relay` is called."""

    def __init__(
        self, client: ClientSide, head: Head, gateway: Gateway, timeouts: Timeouts
    ) -> None:
        self._client = client
        self._head = head
        self._gateway = gateway
        self._timeouts = timeouts
        self._began = time.monotonic()
        self._last = self._began  # when a byte was last passed on, either way
        self._connect = 0.0
        self._status = 0
        self._bytes = 0
        self._uploaded = False
        self._writing = False  # the origin is not taking what it should
        self._fault: Fault | None = None
        self._plan: Forward | Answer | None = None

    def _origin_request(self) -> h11.Request:
        return h11.Request(
            method=self._head.method, target=self._head.target, headers=self._origin_headers()
        )

    async def _relay(self, origin: OriginSide) -> None:
        if origin.protocol.our_state is h11.IDLE:
            await origin.send(self._origin_request())
        upload = asyncio.create_task(self._upload(origin))
        download = asyncio.create_task(self._download(origin, upload))
        watch = asyncio.create_task(self._watch())
        tasks = {upload, download, watch}
        waiting = set(tasks)
        try:
            while not download.done():
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if download not in done:
                    for task in done:
                        if not task.cancelled():  # the tunnel ends the upload
                            task.result()
            download.result()
        finally:
            await settle(tasks)

    def _origin_headers(self) -> Headers:
        assert isinstance(self._plan, Forward)
        fields = list(self._plan.headers)
        if not values(fields, b"host"):
            fields.insert(0, (b"Host", b"localhost"))  # HTTP/1.0 without one
        if values(self._head.headers, b"transfer-encoding"):
            fields.append((b"Transfer-Encoding", b"chunked"))
        if self._head.wants_websocket:
            return [*fields, (b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")]
        return [*fields, (b"Connection", b"close")]

    async def _upload(self, origin: OriginSide) -> None:
        """The request's body to the origin; then watches for the client to go away."""
        taking = True
        while not self._uploaded:
            event = await self._client.next_event()
            self._last = time.monotonic()
            if isinstance(event, h11.Data):
                taking = taking and await self._to_origin(origin, h11.Data(data=event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._uploaded = True
                taking = taking and await self._to_origin(origin, h11.EndOfMessage())
            else:
                raise ClientGone
        early = 0
        while early < 65536:  # what comes now is a pipelined request, or the end
            data = await self._client.read()
            if not data:
                raise ClientGone
            self._client.protocol.receive_data(data)
            early += len(data)

    async def _to_origin(self, origin: OriginSide, event: h11.Event) -> bool:
        """False when the origin takes no more: it may have answered already, so read on."""
        self._writing = True
        try:
            await origin.send(event)
        except OriginFailed:
            return False
        finally:
            self._writing = False
            self._last = time.monotonic()
        return True

    async def _download(self, origin: OriginSide, upload: asyncio.Task[None]) -> None:
        while True:
            event = await origin.next_event()
            self._last = time.monotonic()
            if isinstance(event, h11.InformationalResponse):
                if event.status_code == 101:
                    await self._tunnel(origin, event, upload)
                    return
                if event.status_code != 100 and self._head.http_version >= b"1.1":
                    await self._client.send(event)
            elif isinstance(event, h11.Response):
                await self._begin(event)
            elif isinstance(event, h11.Data):
                await self._client.send(h11.Data(data=event.data))
                self._bytes += len(event.data)
            elif isinstance(event, h11.EndOfMessage):
                await self._client.send(h11.EndOfMessage())
                return
            else:
                raise OriginFailed(Fault.CLOSED)

    async def _begin(self, event: h11.Response) -> None:
        headers = self._gateway.response_headers(self._head, end_to_end(event.headers.raw_items()))
        if not self._uploaded:  # the rest of the body will not be read: no next request here
            headers = [*headers, (b"Connection", b"close")]
        self._status = event.status_code
        await self._client.send(
            h11.Response(status_code=event.status_code, reason=event.reason, headers=headers)
        )

    async def _tunnel(
        self, origin: OriginSide, event: h11.InformationalResponse, upload: asyncio.Task[None]
    ) -> None:
        """RFC 6455: from here on bytes, both ways, until both ends have closed or are idle."""
        upload.cancel()
        await asyncio.wait({upload})
        headers = end_to_end(event.headers.raw_items())
        headers += [(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")]
        self._status = 101
        await self._client.send(
            h11.InformationalResponse(status_code=101, reason=event.reason, headers=headers)
        )

        async def pump(
            source: ClientSide | OriginSide, sink: ClientSide | OriginSide, data: bytes
        ) -> None:
            while True:
                if data:
                    await sink.write(data)
                    self._last = time.monotonic()
                data = await source.read()
                if not data:
                    sink.eof()
                    return

        pumps = {
            asyncio.create_task(pump(self._client, origin, self._client.protocol.trailing_data[0])),
            asyncio.create_task(pump(origin, self._client, origin.protocol.trailing_data[0])),
        }
        try:
            done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            await settle(pumps)

    async def _watch(self) -> None:
        """Raises when nothing has moved for too long."""
        while True:
            if self._status:
                limit, fault = self._timeouts.idle, Fault.IDLE
            elif self._uploaded or self._writing:
                limit, fault = self._timeouts.first_byte, Fault.FIRST_BYTE
            else:
                limit, fault = self._timeouts.idle, Fault.CLIENT_IDLE
            left = self._last + limit - time.monotonic()
            if left <= 0:
                raise OriginFailed(fault)
            await asyncio.sleep(min(left, 1.0))
