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
    bump, observed, logs = tally.bump, tally.observe is not None, tally.logs
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

    nothing: dict[bytes, bytes] = {}  # stays empty: no other name is wanted then

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in _GUARDED:
            if scope["type"] == "lifespan":
                return await app(scope, receive, send)
            raise ValueError(f"origin guard: scope type {scope['type']!r} cannot be judged")
        headers = scope["headers"]
        if type(headers) is not list:
            headers = list(headers)
        given: bytes | None = None
        line: bytes | None = None
        visitor: bytes | None = None
        found: dict[bytes, bytes] = {} if more else nothing
        for pair in headers:
            name = pair[0]
            if name in wanted:
                if name == secret_name:
                    secret_pair = pair
                    given = pair[1] if given is None else given + b"\n" + pair[1]
                elif name == address_name:
                    line = pair[1] if line is None else line + b"\n" + pair[1]
                elif name == client_name:
                    visitor = pair[1] if visitor is None else visitor + b"\n" + pair[1]
                else:
                    found[name] = found[name] + b"\n" + pair[1] if name in found else pair[1]
        if forwarded:
            address = None if line is None else line.decode("latin-1")
        else:
            peer = scope.get("client")
            address = peer[0] if peer else None
        secret = None if given is None else given.decode("latin-1")
        client = None if visitor is None else visitor.decode("latin-1")
        if more:
            reason, client = judge(
                secret, address, client, _text(found, worker_name), _text(found, token_name)
            )
        else:
            reason, client = judge(secret, address, client)
        if given is not None:
            if given is secret_pair[1]:  # it came once; `is` costs a third of comparing names
                scope["headers"] = [pair for pair in headers if pair is not secret_pair]
            else:
                scope["headers"] = [pair for pair in headers if pair[0] != secret_name]
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
            reached = policy.reached_by(address) if logs else None
            tally.refused(reason, allowed, path, reached)
        if allowed:
            return await app(scope, receive, send)
        return await _refuse(scope, send)

    return guarded


def _text(found: Mapping[bytes, bytes], name: bytes) -> str | None:
    return found[name].decode("latin-1") if name in found else None


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
