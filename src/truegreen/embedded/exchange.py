"""One request and its response, between a client and the origin that the gateway names.

Plain ones (see plain.py) go straight through, over connections that are used again; all others by
way of h11, over one of their own. Either way bodies stream and the times are kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import h11

from truegreen.embedded import plain
from truegreen.embedded.http1 import (
    Answer,
    BadRequest,
    ClientGone,
    ClientSide,
    Fault,
    Forward,
    Gateway,
    Head,
    OriginFailed,
    OriginSide,
    Outcome,
    end_to_end,
)
from truegreen.embedded.passage import Passage, Timeouts
from truegreen.embedded.wire import Wire

_RETRY_PAUSE = 0.05


class Exchange(Passage):
    """``request``: when it is plain, and h11 has not seen it; it still waits on the client's wire.
    ``pool``: where connections to origins wait for their next request."""

    def __init__(
        self, client: ClientSide, head: Head, gateway: Gateway, timeouts: Timeouts,
        pool: plain.Pool, request: plain.PlainRequest | None = None,
    ) -> None:  # fmt: skip
        super().__init__(client, head, gateway, timeouts)
        self._pool = pool
        self._request = request

    async def run(self) -> bool:
        """True when the client's connection can carry another request.

        Never raises but ClientGone (nobody is left to be told) and CancelledError.
        """
        try:
            try:
                await self._carry()
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
        return self._request.keep if self._request else self._client.next_cycle()

    async def _carry(self) -> None:
        fresh = False
        while origin := await self._connected(fresh):
            kept = False
            try:
                if self._request is not None:
                    kept = await self._straight(origin, self._request)
                if self._request is None:
                    await self._relay(origin)
                return
            except _Stale:
                fresh = True
            finally:
                if not kept:
                    await origin.close()

    async def _connected(self, fresh: bool) -> OriginSide | None:
        """A connection to where the gateway says; None when it answered by itself. For a plain
        request one that has been used before, unless ``fresh``."""
        refused: float | None = None
        while True:
            self._plan = plan = await self._gateway.route(self._head)
            if isinstance(plan, Answer):
                await self._answer(plan)
                return None
            asked = time.monotonic()
            if self._request and not fresh and (wire := self._pool.take(plan.address)):
                self._last = asked
                return OriginSide(wire, used=True)
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

    # the plain way

    async def _straight(self, origin: OriginSide, request: plain.PlainRequest) -> bool:
        """There and back; true when ``origin``'s connection was kept for the next one.

        When the response is not plain, h11 has been given all that came, and `_relay` goes on.
        """
        client, wire = self._client.wire, origin.wire
        assert isinstance(self._plan, Forward)
        self._uploaded = True
        client.on_end = lambda: wire.fail(ClientGone())
        timer = _Timer(self._late, wire)
        try:
            if client.ended:
                raise ClientGone
            wire.write(plain.request_head(request.head, self._plan.headers))
            response = await self._response(origin, request.head.method)
            if response is None:
                await self._hand_to_h11()
                origin.protocol.send(self._origin_request())
                return False
            await self._pass_on(wire, response, request)
        finally:
            client.on_end = None
            timer.cancel()
        if not response.keep or not self._timeouts.keep or not wire.quiet:
            wire.close()
        else:
            self._pool.put(self._plan.address, wire)
        return True

    async def _response(self, origin: OriginSide, method: bytes) -> plain.PlainResponse | None:
        wire = origin.wire
        while not plain.head_ended(wire.waiting):
            try:
                more = await wire.more()
            except OSError:
                more = False
            if not more and not wire.waiting:
                raise _Stale if origin.used else OriginFailed(Fault.CLOSED)
            if not more:
                return None
        self._last = time.monotonic()
        return plain.response(wire.waiting, method)

    async def _pass_on(
        self, wire: Wire, response: plain.PlainResponse, request: plain.PlainRequest
    ) -> None:
        client = self._client.wire
        headers = self._gateway.response_headers(self._head, end_to_end(response.headers))
        if not request.keep:
            headers.append((b"Connection", b"close"))
        wire.take(response.size)
        data = plain.response_head(response, headers)
        left = response.length
        self._status = response.status
        while True:
            part = wire.take(min(left, len(wire.waiting)))
            left -= len(part)
            self._bytes += len(part)
            self._last = time.monotonic()
            try:
                client.write(data + part)
                await client.drain()
                data = b""
            except OSError as error:
                raise ClientGone from error
            if not left:
                break
            try:
                if not wire.waiting and not await wire.more():
                    raise OriginFailed(Fault.CLOSED)
            except OSError as error:
                raise OriginFailed(Fault.CLOSED) from error
        client.take(request.size)

    def _late(self, wire: Wire) -> float:
        """Seconds that are left; at 0 whoever waits for ``wire``, or the client, is told."""
        status, limits = self._status, self._timeouts
        left = self._last + (limits.idle if status else limits.first_byte) - time.monotonic()
        if left <= 0:
            error = OriginFailed(Fault.IDLE if status else Fault.FIRST_BYTE)
            wire.fail(error)
            if status:
                self._client.wire.fail(error)
        return left

    async def _hand_to_h11(self) -> None:
        """From here on the request is h11's: it waits on the client's wire still."""
        if self._request is not None:
            self._request = None
            self._uploaded = False
            await self._client.next_head()

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
            answer = plain_text(error.status, b"Bad Request")
        elif self._fault is Fault.CLIENT_IDLE:
            answer = plain_text(408, b"Request Timeout")
        else:
            answer = self._gateway.fault(self._head, self._fault)
        await self._answer(answer)

    async def _answer(self, answer: Answer) -> None:
        await self._hand_to_h11()
        # a request without a body is read to its end here, so that the connection can live on
        with suppress(h11.RemoteProtocolError):
            if self._client.h11.their_state is h11.SEND_BODY:
                self._client.h11.next_event()
        self._status = answer.status
        self._bytes = 0 if self._head.method == b"HEAD" else len(answer.body)
        await self._client.answer(answer)


class _Stale(Exception):
    """The origin ended a used connection before it said a word: so it never took the request."""


class _Timer:
    """Asks ``late(wire)`` again whenever the seconds that it told are over, until it tells 0."""

    def __init__(self, late: Callable[[Wire], float], wire: Wire) -> None:
        self._late = late
        self._wire = wire
        self._ask()

    def _ask(self) -> None:
        left = self._late(self._wire)
        self._handle = asyncio.get_running_loop().call_later(left, self._ask) if left > 0 else None

    def cancel(self) -> None:
        if self._handle:
            self._handle.cancel()


def plain_text(status: int, text: bytes) -> Answer:
    return Answer(status, [(b"Content-Type", b"text/plain; charset=utf-8")], text + b"\n")
