"""The quick lane: a client's connection on which requests are plain, carried there and back by
callbacks alone, over connections to the dynos that are used again.

No task, no future and no timer a request: the router shares its cores with the dynos. Whatever is
not plain (see `plain`), or has to be waited for, is handed to `exchange` with what has come of it.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Protocol

from truegreen.embedded import plain
from truegreen.embedded.http1 import (
    Answer,
    ClientSide,
    Fault,
    Forward,
    Gateway,
    Head,
    Outcome,
)
from truegreen.embedded.passage import Timeouts
from truegreen.embedded.transport import Readers, SocketTransport
from truegreen.embedded.wire import Wire


@dataclass(frozen=True)
class Begun:
    """An exchange that the lane began: its request waits on the client's wire again. ``origin``:
    has been sent the request, as ``plan`` says, and what it answers waits on it; None: nobody has
    been asked. ``began`` as time.monotonic tells it, ``connect`` in seconds."""

    head: Head
    began: float
    plan: Forward | None = None
    origin: Wire | None = None
    connect: float = 0.0


class Around(Protocol):
    """What a lane asks of the server that it belongs to."""

    gateway: Gateway
    timeouts: Timeouts
    pool: plain.Pool
    readers: Readers

    def leave(self, lane: Lane, begun: Begun | None) -> None:
        """The lane is over; ``begun`` or, without it, what waits on the client's wire is next."""

    def part(self, lane: Lane) -> None:
        """The lane is over, everything was said: the client's connection is to be closed."""

    def over(self, lane: Lane) -> None:
        """The lane is over, and so is the client's connection."""


class Lane:
    """Serves ``client`` from `start` on; until it calls one of ``around``'s methods, once."""

    def __init__(self, client: ClientSide, around: Around) -> None:
        self.client = client
        self._wire = client.wire
        self._around = around
        self._gateway = around.gateway
        self._request: plain.PlainRequest | None = None  # the one that is under way
        self._raw = b""  # it, as it came
        self._origin: Wire | None = None
        self._fault: Fault | None = None
        self._last = time.monotonic()  # when a byte was last passed on, either way

    def start(self) -> None:
        """What waits on the wire comes first."""
        wire = self._wire
        if wire.ended:  # who will send no more is gone, as in the middle of a request
            self._client_ended()
            return
        wire.on_end, wire.on_drained = self._client_ended, self._client_drained
        self._next()

    def _next(self) -> None:
        """Between two requests."""
        waiting = self._wire.take(len(self._wire.waiting))
        self._wire.on_data = self._asked
        if waiting:
            self._asked(waiting)

    # there

    def _asked(self, data: bytes) -> None:
        wire, request = self._wire, plain.request(data, self.client.peer)
        wire.on_data = None  # until the answer is through, what comes waits on the wire
        if request is None:
            wire.put_back(data)
            self._leave(None)
            return
        self._request, self._raw = request, data
        if len(data) > request.size:
            self._raw = data[: request.size]
            wire.put_back(data[request.size :])
        self._began = self._last = time.monotonic()
        self._connect = 0.0
        self._status = self._bytes = self._left = 0
        self._fault = None
        self._held = False  # the origin is not listened to
        self._part = b""  # of the response's head
        self._plan = plan = self._gateway.route_now(request.head)
        if isinstance(plan, Answer):
            self._answer(plan)
        elif plan is None or not self._send(plan, plain.request_head(request.head, plan.headers)):
            self._leave(Begun(request.head, self._began))

    def _send(self, plan: Forward, data: bytes) -> bool:
        origin = self._around.pool.take(plan.address)
        self._used = origin is not None
        if origin:
            origin.write(data)
        else:
            origin = dial(plan.address, data, self._around.readers)
            if origin is None:
                return False
            now = time.monotonic()
            self._connect, self._last = now - self._last, now
        origin.on_data, origin.on_end = self._answered, self._origin_ended
        self._origin = origin
        return True

    # and back

    def _answered(self, data: bytes) -> None:
        self._last = time.monotonic()
        if self._status:
            self._pass_on(data, data)
            return
        if self._part:
            data = self._part + data
        assert self._request is not None
        response = plain.response(data, self._request.head.method)
        if response is None:
            self._part = data
            if plain.head_ended(data):
                self._leave_with_origin()
            return
        self._keep = response.keep
        self._status = response.status
        self._left = response.length
        headers = self._gateway.response_headers(self._request.head, list(response.headers))
        if not self._request.keep:
            headers.append((b"Connection", b"close"))
        body = data[response.size :]
        self._pass_on(body, plain.response_head(response, headers) + body)

    def _pass_on(self, body: bytes, data: bytes) -> None:
        """``data``: ``body`` with the head before it, or ``body`` alone."""
        beyond = len(body) - self._left
        if beyond > 0:  # than its length; it goes nowhere, and nor does what comes next
            data, self._keep = data[:-beyond], False
            self._bytes += self._left
            self._left = 0
        else:
            self._bytes += len(body)
            self._left -= len(body)
        wire = self._wire
        wire.write(data)
        if wire.stalled:
            self._hold_origin()
        elif not self._left:
            self._done()

    def _hold_origin(self) -> None:
        """Until the client has taken what it was sent."""
        if self._origin:
            self._held = True
            self._origin.transport.pause_reading()

    def _client_drained(self) -> None:
        if self._request is None:
            return
        if not self._left and self._status:
            self._done()
        elif self._origin:
            self._held = False
            self._origin.transport.resume_reading()

    def _done(self) -> None:
        origin, request, self._request = self._origin, self._request, None
        assert request is not None
        if origin:
            self._origin = origin.on_data = origin.on_end = None
            keep = self._keep and self._around.timeouts.keep and origin.quiet
            if keep and isinstance(self._plan, Forward):
                if self._held:
                    origin.transport.resume_reading()
                self._around.pool.put(self._plan.address, origin)
            else:
                origin.close()
        self._tell(request)
        if not request.keep:
            self._release()
            self._around.part(self)
        elif self._wire.waiting:
            self._wire.loop.call_soon(self._next_if_open)
        else:
            self._wire.on_data = self._asked

    def _next_if_open(self) -> None:
        if self._wire.on_end == self._client_ended:
            self._next()

    def _tell(self, request: plain.PlainRequest) -> None:
        spent = time.monotonic() - self._began
        outcome = Outcome(self._status, self._bytes, self._connect, spent, self._fault)
        self._gateway.finished(request.head, self._plan, outcome)

    def _answer(self, answer: Answer) -> None:
        """Of our own."""
        assert self._request is not None
        head_only = self._request.head.method == b"HEAD"
        self._status = answer.status
        self._bytes = 0 if head_only else len(answer.body)
        self._left = 0
        headers = [*answer.headers, (b"Content-Length", b"%d" % len(answer.body))]
        if not self._request.keep:
            headers.append((b"Connection", b"close"))
        head = b"HTTP/1.1 %d \r\n%s\r\n" % (answer.status, plain.lines(headers))
        self._wire.write(head if head_only else head + answer.body)
        if not self._wire.stalled:
            self._done()

    # what goes wrong

    def _origin_ended(self) -> None:
        if self._status and not self._left:
            return  # it has said everything; the client has not taken it yet
        if self._status:
            self._fail(Fault.INTERRUPTED)
        elif self._part:
            self._leave_with_origin()  # a half of a head: h11 says what it is
        elif self._used:  # it had ended before it was asked: nobody has been
            assert self._request is not None
            self._drop_origin()
            self._leave(Begun(self._request.head, self._began))
        else:
            self._fail(Fault.CLOSED)

    def _fail(self, fault: Fault) -> None:
        request = self._request
        assert request is not None
        self._drop_origin()
        self._fault = fault
        if self._status:
            self._break_off()
        else:
            self._answer(self._gateway.fault(request.head, fault))

    def _client_ended(self) -> None:
        self._fault = Fault.CLIENT_GONE
        self._break_off()

    def _break_off(self) -> None:
        """At once, also for who has not heard everything."""
        request, self._request = self._request, None
        self._drop_origin()
        self._release()
        if request:
            self.client.abort()
            self._tell(request)
        else:
            self._wire.close()
        self._around.over(self)

    def check(self, now: float) -> None:
        """Ends what has taken too long; to be called every now and then."""
        limits = self._around.timeouts
        if self._request is None:
            if now > self._last + limits.request_head:
                self._break_off()
        elif now > self._last + (limits.idle if self._status else limits.first_byte):
            self._fail(Fault.IDLE if self._status else Fault.FIRST_BYTE)

    def close(self) -> None:
        """Break off what is under way, and the connection."""
        self._fault = None
        self._break_off()
        self._wire.abort()

    def _drop_origin(self) -> None:
        if self._origin:
            self._origin.on_data = self._origin.on_end = None
            self._origin.close()
            self._origin = None

    def _leave_with_origin(self) -> None:
        origin, self._origin = self._origin, None
        assert origin is not None
        assert isinstance(self._plan, Forward)
        assert self._request is not None
        origin.on_data = origin.on_end = None
        origin.put_back(self._part)
        self._leave(Begun(self._request.head, self._began, self._plan, origin, self._connect))

    def _leave(self, begun: Begun | None) -> None:
        if begun:
            self._wire.put_back(self._raw)
            self._request = None
        self._release()
        self._around.leave(self, begun)

    def _release(self) -> None:
        self._wire.on_data = self._wire.on_end = self._wire.on_drained = None


def dial(address: tuple[str, int], data: bytes, readers: Readers) -> Wire | None:
    """A connection to ``address`` (IPv4 and port) that ``data`` has been sent to already; None when
    it cannot be had without waiting. Over the loopback it mostly can."""
    kind = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
    sock = socket.socket(socket.AF_INET, kind, socket.IPPROTO_TCP)
    try:
        sock.connect_ex(address)
        sent = sock.send(data)  # tells as well whether the connection stands
        if sock.getsockname()[1] == address[1]:  # nobody listens: TCP met itself
            raise ConnectionRefusedError
    except OSError:
        sock.close()
        return None
    wire = Wire()
    SocketTransport(sock, wire, readers)
    if sent < len(data):
        wire.write(data[sent:])
    return wire
