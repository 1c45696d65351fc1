"""The reverse proxy: takes requests, asks a Gateway where to, streams both ways, keeps the times.

One connection to the origin an exchange; connections of clients are kept alive. What makes it a
router or an edge is told by the Gateway; see router.py and edge.py.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

import h11

from truegreen.embedded.http1 import (
    Answer,
    BadRequest,
    ClientGone,
    ClientSide,
    Fault,
    Forward,
    Gateway,
    Head,
    Headers,
    OriginFailed,
    OriginSide,
    Outcome,
    end_to_end,
    settle,
    values,
)

_RETRY_PAUSE = 0.05


@dataclass(frozen=True)
class Timeouts:
    """Seconds. ``first_byte`` and ``idle`` are Heroku's (devcenter: "Request Timeout").

    ``retry``: how long a refused connection is tried again (the dyno's end may not be known yet).
    """

    connect: float = 5.0
    request_head: float = 60.0
    first_byte: float = 30.0
    idle: float = 55.0
    retry: float = 1.0


class RelayServer:
    """Listens, and serves every connection by the gateway's word. Nothing outlives ``close``."""

    def __init__(self, gateway: Gateway, timeouts: Timeouts) -> None:
        self._gateway = gateway
        self._timeouts = timeouts
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises OSError when it is taken."""
        self._server = await asyncio.start_server(self._connected, host, port, backlog=512)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        if self._server:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        if self._connections:
            await asyncio.wait(set(self._connections), timeout=5)
        if self._server:
            await self._server.wait_closed()
            self._server = None

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(ClientSide(reader, writer)))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, client: ClientSide) -> None:
        try:
            while await self._serve_one(client):
                client.h11.start_next_cycle()
            await client.close()
        except ClientGone:
            pass
        finally:
            client.abort()  # nothing to abort when it was closed

    async def _serve_one(self, client: ClientSide) -> bool:
        """One request; True when the connection can carry another one."""
        try:
            async with asyncio.timeout(self._timeouts.request_head):
                head = await client.next_head()
        except TimeoutError:
            if client.h11.trailing_data[0]:
                await client.answer(_plain(408, b"Request Timeout"))
            return False
        except BadRequest as bad:
            await client.answer(_plain(bad.status, b"Bad Request"))
            return False
        if head is None:
            return False
        if head.method == b"CONNECT":
            await client.answer(_plain(405, b"Method Not Allowed"))
            return False
        exchange = _Exchange(client, head, self._gateway, self._timeouts)
        await exchange.run()
        return client.h11.our_state is h11.DONE and client.h11.their_state is h11.DONE


class _Exchange:
    """One request and its response."""

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

    async def run(self) -> None:
        """Never raises but ClientGone (nobody is left to be told) and CancelledError."""
        try:
            try:
                origin = await self._connected()
                if origin is None:
                    return
                try:
                    await self._relay(origin)
                finally:
                    await origin.close()
            except (BadRequest, OriginFailed, ClientGone, h11.LocalProtocolError) as error:
                await self._failed(error)
        except ClientGone:
            self._fault = self._fault or Fault.CLIENT_GONE
            raise
        finally:
            spent = time.monotonic() - self._began
            self._gateway.finished(
                self._head,
                self._plan,
                Outcome(self._status, self._bytes, self._connect, spent, self._fault),
            )

    async def _connected(self) -> OriginSide | None:
        """A connection to where the gateway says; None when it answered by itself."""
        refused: float | None = None
        while True:
            self._plan = plan = await self._gateway.route(self._head)
            if isinstance(plan, Answer):
                await self._answer(plan)
                return None
            asked = time.monotonic()
            try:
                origin = await OriginSide.connect(plan.address, self._timeouts.connect)
            except OriginFailed as error:
                refused = refused or asked
                if error.fault is not Fault.REFUSED or asked >= refused + self._timeouts.retry:
                    raise
                await asyncio.sleep(_RETRY_PAUSE)
                continue
            self._last = time.monotonic()
            self._connect = self._last - asked
            return origin

    async def _relay(self, origin: OriginSide) -> None:
        await origin.send(
            h11.Request(
                method=self._head.method,
                target=self._head.target,
                headers=self._origin_headers(),
            )
        )
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
            self._client.h11.receive_data(data)
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
            asyncio.create_task(pump(self._client, origin, self._client.h11.trailing_data[0])),
            asyncio.create_task(pump(origin, self._client, origin.h11.trailing_data[0])),
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

    async def _failed(self, error: Exception) -> None:
        if isinstance(error, OriginFailed):
            self._fault = error.fault
        elif isinstance(error, h11.LocalProtocolError):
            self._fault = Fault.MALFORMED
        else:
            gone = isinstance(error, ClientGone)
            self._fault = Fault.CLIENT_GONE if gone else Fault.CLIENT_MALFORMED
        if self._status:
            if self._fault in (Fault.CLOSED, Fault.MALFORMED):
                self._fault = Fault.INTERRUPTED
            self._client.abort()
            raise ClientGone
        if isinstance(error, ClientGone):
            raise error
        if isinstance(error, BadRequest):
            answer = _plain(error.status, b"Bad Request")
        elif self._fault is Fault.CLIENT_IDLE:
            answer = _plain(408, b"Request Timeout")
        else:
            answer = self._gateway.fault(self._head, self._fault)
        await self._answer(answer)

    async def _answer(self, answer: Answer) -> None:
        # a request without a body is read to its end here, so that the connection can live on
        with suppress(h11.RemoteProtocolError):
            if self._client.h11.their_state is h11.SEND_BODY:
                self._client.h11.next_event()
        self._status = answer.status
        self._bytes = 0 if self._head.method == b"HEAD" else len(answer.body)
        await self._client.answer(answer)


def _plain(status: int, text: bytes) -> Answer:
    return Answer(status, [(b"Content-Type", b"text/plain; charset=utf-8")], text + b"\n")
