"""One request and its response by way of h11, between a client and the origin that the gateway
names: those that the quick lane (lane.py) does not take, or does not take to their end.

Bodies stream, the times are kept; the connection to the origin is used once.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import h11

from truegreen.embedded.http1 import (
    Answer,
    BadRequest,
    ClientGone,
    ClientSide,
    Fault,
    Gateway,
    Head,
    OriginFailed,
    OriginSide,
    Outcome,
)
from truegreen.embedded.lane import Begun
from truegreen.embedded.passage import Passage, Timeouts

_RETRY_PAUSE = 0.05


class Exchange(Passage):
    """``head``: of the request, which ``client`` has read by h11; ``begun``: what the quick lane
    has done about it."""

    def __init__(
        self, client: ClientSide, head: Head, gateway: Gateway, timeouts: Timeouts,
        begun: Begun | None = None,
    ) -> None:  # fmt: skip
        super().__init__(client, head, gateway, timeouts)
        self._begun = begun
        if begun:
            self._began = begun.began

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
        return self._client.next_cycle()

    async def _carry(self) -> None:
        if origin := await self._connected():
            try:
                await self._relay(origin)
            finally:
                await origin.close()

    async def _connected(self) -> OriginSide | None:
        """A connection to where the gateway says; None when it answered by itself."""
        if self._begun and self._begun.origin:
            self._plan, self._connect = self._begun.plan, self._begun.connect
            origin = OriginSide(self._begun.origin)
            origin.protocol.send(self._origin_request())  # it has been, as the lane writes it
            return origin
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
        # a request without a body is read to its end here, so that the connection can live on
        with suppress(h11.RemoteProtocolError):
            if self._client.protocol.their_state is h11.SEND_BODY:
                self._client.protocol.next_event()
        self._status = answer.status
        self._bytes = 0 if self._head.method == b"HEAD" else len(answer.body)
        await self._client.answer(answer)


def plain_text(status: int, text: bytes) -> Answer:
    return Answer(status, [(b"Content-Type", b"text/plain; charset=utf-8")], text + b"\n")
