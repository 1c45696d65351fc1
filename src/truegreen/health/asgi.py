"""Health on a path of an ASGI application, also with Starlette's and FastAPI's ``add_middleware``.

Answers by itself: the application never sees the path.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from truegreen.headers import single
from truegreen.health.report import TOKEN_HEADER, Health
from truegreen.health.wsgi import ALLOWED, NOT_ALLOWED, encoded, headers

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

_TOKEN_NAME = TOKEN_HEADER.lower().encode()


class HealthEndpoint:
    """ASGI middleware: GET and HEAD of ``path`` are ``health``'s, the rest goes to ``app``.

    The detail view asks a database, so it runs in a thread of asyncio's; the brief one does not.
    """

    def __init__(self, app: ASGIApplication, health: Health, path: str = "/health") -> None:
        self.app = app
        self.health = health
        self.path = path
        self._brief = encoded(health.brief())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope.get("path") != self.path:
            return await self.app(scope, receive, send)
        if scope["method"] not in ("GET", "HEAD"):
            return await _answer(send, 405, NOT_ALLOWED, ("Allow", ALLOWED))
        status, body = 200, self._brief
        if self.health.accepts(single(scope["headers"], _TOKEN_NAME)):
            import asyncio  # a service without ASGI need not load it

            status, document = await asyncio.to_thread(self.health.report)
            body = encoded(document)
        await _answer(send, status, body, head=scope["method"] == "HEAD")


async def _answer(
    send: Send, status: int, body: bytes, *more: tuple[str, str], head: bool = False
) -> None:
    lines = [(name.lower().encode(), value.encode()) for name, value in (*headers(body), *more)]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": b"" if head else body})
