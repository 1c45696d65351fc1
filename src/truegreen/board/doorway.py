"""Who may ask, and what every answer carries. Pure ASGI, around the whole application.

The Host must be one that the board was told (a page of a stranger whose name resolves to this
machine gets nothing: DNS rebinding). Only GET and HEAD are answered, and POST where an annex of
the board takes it; who may, is for that one to ask.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Doorway:
    """``hosts``: names that the Host header may say, without a port. ``style`` and ``script`` are
    the only ones that a page may hold; the policy names them by their digest. ``posts``: paths
    where POST is answered; one that ends in ``/`` stands for all below it. ``any_host``: those of
    them that prove by more than a name who asks."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str],
        *,
        style: str,
        script: str,
        posts: Iterable[str] = (),
        any_host: Iterable[str] = (),
    ) -> None:
        self._app = app
        self._posts = tuple(posts)
        self._any_host = frozenset(any_host)
        self._hosts = frozenset(host.lower() for host in hosts)
        self._headers = {
            "content-security-policy": (
                f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}';"
                " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            ),
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            # Not "no-referrer": a browser would send a form of ours with "Origin: null" then.
            "referrer-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "cache-control": "no-store",
            "vary": "accept",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, dressed)
        else:
            await self._app(scope, receive, dressed)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        if scope["method"] == "POST" and scope["path"] in self._any_host:
            return None
        names = Headers(scope=scope).getlist("host")
        if len(names) != 1 or _name(names[0]) not in self._hosts:
            return PlainTextResponse(
                "this board does not answer to that name; start it with --host-name to allow it\n",
                status_code=421,
            )
        posted = scope["method"] == "POST" and self._takes_posts(scope["path"])
        if scope["method"] not in ("GET", "HEAD") and not posted:
            return PlainTextResponse(
                "this address is only read\n", status_code=405, headers={"allow": "GET, HEAD"}
            )
        return None

    def _takes_posts(self, path: str) -> bool:
        return any(
            path.startswith(one) if one.endswith("/") else path == one for one in self._posts
        )


def _name(host: str) -> str:
    """The Host header without its port, in small letters."""
    host = host.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
