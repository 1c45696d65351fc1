"""The guard around an ASGI application: outermost, before anything of the application runs.

Knows ASGI's scopes and nothing of frameworks or servers. What is let in is ``policy``'s decision.
"""

from __future__ import annotations

from truegreen.guard import reasons
from truegreen.guard.policy import ASSERTION, CONNECTING_IP, FORWARDED, WORKER, GuardPolicy
from truegreen.guard.wsgi import CLIENT, REFUSAL, REFUSAL_HEADERS

TYPE_CHECKING = False  # as in truegreen.frozen: typing would be half of what a dyno imports
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping
    from typing import Any

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEADERS = [(name.lower().encode(), value.encode()) for name, value in REFUSAL_HEADERS]


class OriginGuard:
    """ASGI middleware: asks ``policy``, answers 403 or calls ``app``, strips the secret header.

    ``http`` and ``websocket`` are guarded, ``lifespan`` is passed on, any other type of scope
    raises ValueError: what cannot be judged is not let in. A WebSocket is refused before it is
    accepted: with the same answer where the server offers ``websocket.http.response``, else by a
    close, which servers turn into a 403.

    The visitor's address is put at ``scope["truegreen.client"]``, in its canonical spelling, when
    the request passed the checks and the edge named it; otherwise the key is not there. More than
    one X-Forwarded-For line is refused where the policy reads it.

    With a profile without proxies the peer is ``scope["client"]``: run uvicorn with
    ``--no-proxy-headers`` then, which otherwise puts a forgeable value there.
    """

    __slots__ = ("__call__", "__weakref__", "app", "policy")  # see wsgi.py

    def __init__(self, app: ASGIApplication, policy: GuardPolicy) -> None:
        self.app = app
        self.policy = policy
        self.__call__ = _closed_over(app, policy)

    @property
    def counts(self) -> Mapping[str, int]:
        """Requests by reason since the start of this process, a copy."""
        return self.policy.tally.counts


def _closed_over(app: ASGIApplication, policy: GuardPolicy) -> ASGIApplication:
    judge, tally = policy.judge, policy.tally
    bump, observed = tally.bump, tally.observe is not None
    bump_admitted = bump[reasons.ADMITTED]
    admitted = reasons.ADMITTED
    forwarded = policy.reads_forwarded
    secret_name = policy.header.lower().encode()
    address_name = FORWARDED.encode() if forwarded else b""
    client_name = (policy.client_header or CONNECTING_IP).encode()
    more = frozenset(
        name.encode()
        for name, check in ((WORKER, "worker"), (ASSERTION, "access"))
        if check in policy.checks
    )
    wanted = frozenset({secret_name, address_name, client_name}) | more
    worker_name, token_name = WORKER.encode(), ASSERTION.encode()

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in _GUARDED:
            if scope["type"] == "lifespan":
                return await app(scope, receive, send)
            raise ValueError(f"origin guard: scope type {scope['type']!r} cannot be judged")
        headers = scope["headers"]
        if type(headers) is not list:
            headers = list(headers)
        found: dict[bytes, str] = {}
        for name, value in headers:
            if name in wanted:
                text = value.decode("latin-1")
                found[name] = f"{found[name]}\n{text}" if name in found else text
        if secret_name in found:
            scope["headers"] = [pair for pair in headers if pair[0] != secret_name]
        get = found.get
        if forwarded:
            address = get(address_name)
        else:
            peer = scope.get("client")
            address = peer[0] if peer else None
        reason, client = judge(
            get(secret_name), address, get(client_name), get(worker_name), get(token_name)
        )
        if reason is admitted:
            bump_admitted()
            if observed:
                tally.told(reason, True)
            if client is not None:
                scope[CLIENT] = client
            return await app(scope, receive, send)
        path = scope.get("path", "")
        allowed, reason = policy.settle(reason, path)
        bump[reason]()
        if observed:
            tally.told(reason, allowed)
        if reason not in reasons.LET_IN:
            tally.refused(reason, allowed, path, address)
        if allowed:
            return await app(scope, receive, send)
        return await _refuse(scope, send)

    return guarded


_GUARDED = frozenset({"http", "websocket"})


async def _refuse(scope: Scope, send: Send) -> None:
    kind = "http"
    if scope["type"] == "websocket":
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": 1008, "reason": "direct_origin_blocked"})
            return
        kind = "websocket.http"
    body = b"" if scope.get("method") == "HEAD" else REFUSAL
    await send({"type": f"{kind}.response.start", "status": 403, "headers": list(_HEADERS)})
    await send({"type": f"{kind}.response.body", "body": body})
