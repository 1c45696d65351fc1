"""POST /hints: takes the platform's webhooks, and puts them where a watch finds them.

A delivery is answered at once (202) and written a moment later, in batches, by one writer; what
waits meanwhile is bounded, and when there is no room it is told so (503), and comes again if it was
sent at the level ``sync``. Nothing is believed: a hint only says where the API is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncIterator

import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.board.annex import Annex
from truegreen.config import Config
from truegreen.errors import TrueGreenError
from truegreen.secret import Secret
from truegreen.state import Database, locate
from truegreen.watch.hints import LARGEST, SIGNATURE, Delivery, delivery_of, genuine
from truegreen.watch.inbox import Inbox
from truegreen.watch.together import lasting

PATH = "/hints"
WAITING = 1000  # deliveries that wait to be written
_READING = 32  # bodies that are read at once
_SLOW = 5.0  # seconds in which a body must have come
_EVERY = 0.2  # seconds between two batches
_COUNTED = 1.0  # seconds between two notes of what was refused
_AWAY = 2.0  # seconds before a database that did not answer is asked again


def hint_door(secret: Secret, config: Config) -> Annex:
    """The endpoint of the service's board. Raises UsageError for a database of a newer TrueGreen,
    StateError for one that does not answer: better at the start than at the first delivery."""
    database = lasting(locate(config.root))
    database.clock()
    return HintDoor(secret, database).annex()


class HintDoor:
    """``secret``: what the webhooks were made with. ``database``: the watches' own; it is used by
    one thread at a time, and must open itself again after a failure."""

    def __init__(self, secret: Secret, database: Database) -> None:
        self._secret = secret
        self._database = database
        self._inbox = Inbox(database)
        self._queue: deque[Delivery] = deque()
        self._tally: Counter[str] = Counter()
        self._reading = 0
        self._wanted = asyncio.Event()

    def annex(self) -> Annex:
        """What the board takes in beside its pages."""
        route = Route(PATH, self.take, methods=["POST"])
        return Annex((route,), posts=(PATH,), any_host=(PATH,), living=self._living)

    async def take(self, request: Request) -> Response:
        """One delivery. 202 taken; 403 not signed with the secret; 413 too large; 408 too slow;
        503 no room."""
        if not request.headers.get(SIGNATURE):
            return self._refuse("forged", 403)
        if self._reading >= _READING:
            return self._refuse("dropped", 503)
        self._reading += 1
        try:
            async with asyncio.timeout(_SLOW):
                body = await _body(request)
        except TimeoutError:
            return self._refuse("slow", 408)
        except ClientDisconnect:
            return self._refuse("cut_off", 400)
        finally:
            self._reading -= 1
        if body is None:
            return self._refuse("too_large", 413)
        # Over the bytes as they came: a body that is read and written again is another one.
        if not genuine(body, request.headers[SIGNATURE], self._secret):
            return self._refuse("forged", 403)
        if len(self._queue) >= WAITING:
            return self._refuse("dropped", 503)
        self._queue.append(delivery_of(body))
        self._wanted.set()
        return Response(status_code=202)

    def _refuse(self, name: str, status: int) -> Response:
        self._tally[name] += 1
        self._wanted.set()
        headers = {"retry-after": "5"} if status == 503 else {}
        # What was not read must not be taken for the next request of the connection.
        return Response(status_code=status, headers={**headers, "connection": "close"})

    @contextlib.asynccontextmanager
    async def _living(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._write())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            with contextlib.suppress(TrueGreenError):
                await self._put()
            self._database.close()

    async def _write(self) -> None:
        """Writes what waits, until it is cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await asyncio.sleep(_EVERY if self._queue else _COUNTED)
            try:
                await self._put()
            except TrueGreenError:
                self._wanted.set()
                await asyncio.sleep(_AWAY)

    async def _put(self) -> None:
        batch, tally = list(self._queue), Counter(self._tally)
        if batch or tally:
            await anyio.to_thread.run_sync(self._inbox.put, batch, tally)
        for _ in batch:
            self._queue.popleft()
        self._tally -= tally


async def _body(request: Request) -> bytes | None:
    """None for one that is larger than a delivery can be; no more than that is read of it."""
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 9 or int(length) > LARGEST):
        return None
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            return None
    return bytes(body)
