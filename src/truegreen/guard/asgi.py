"""The guard around an ASGI application: outermost, before anything of the application runs.

Knows ASGI's scopes and nothing of frameworks or servers. What is let in is ``policy``'s decision.
"""

from __future__ import annotations

from truegreen.guard import reasons
from truegreen.guard.admission import Admission
from truegreen.guard.client import CLIENT, in_scope
from truegreen.guard.judge import judge
from truegreen.guard.policy import ASSERTION, CONNECTING_IP, FORWARDED, WORKER, GuardPolicy
from truegreen.guard.wsgi import REFUSAL, REFUSAL_HEADERS
from truegreen.headers import joined, splitter

TYPE_CHECKING = False  # as in truegreen.frozen: typing would be half of what a dyno imports
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping
    from typing import Any

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Headers = list[tuple[bytes, bytes]]
    ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEADERS = [(name.lower().encode(), value.encode()) for name, value in REFUSAL_HEADERS]


class OriginGuard:
    """ASGI middleware: asks ``policy``, answers 403 or calls ``app``, strips the secret header.

    ``http`` and ``websocket`` are guarded, ``lifespan`` is passed on, any other type of scope
    raises ValueError: what cannot be judged is not let in. A WebSocket is refused before it is
    accepted: with the same answer where the server offers ``websocket.http.response``, else by a
    close, which servers turn into a 403.

    ``client.client_address(scope)`` gives the visitor's address of a request that passed. More than
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
    rules, tally = policy.rules, policy.tally
    same, clock, short = rules.same, rules.clock, Admission(rules, raw=True)
    first, second, anywhere = short.first, short.second, short.anywhere
    stale_at, known, in_place = short.stale_at, short.known, short.in_place
    observed, admissions = tally.observe is not None, tally.counters[reasons.ADMITTED]
    forwarded = policy.reads_forwarded
    secret_name = policy.header.lower().encode()
    split = splitter(secret_name, FORWARDED.encode() if forwarded else secret_name)
    named = in_scope(policy.client_header)
    usable = short.usable and policy.edge_names and (anywhere or forwarded)
    judged = _judged(policy)

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind != "http" and kind != "websocket":
            if kind == "lifespan":
                return await app(scope, receive, send)
            raise ValueError(f"origin guard: scope type {kind!r} cannot be judged")
        headers = scope["headers"]
        if type(headers) is not list:
            headers = list(headers)
        secret, line, several, scope["headers"] = split(headers)
        if (
            usable and secret is not None and not several
            and (same(secret, first) if second is None
                 else same(secret, first) | same(secret, second))
            and (anywhere or (
                line and 10 not in line and clock() < stale_at
                and (line.rpartition(b",")[2] in known or in_place(line))
            ))
        ):  # fmt: skip
            secret = headers = None  # a crash reporter sends what this frame knows
            scope[CLIENT] = named
            next(admissions)
            if observed:
                tally.told(reasons.ADMITTED, True)
            return await app(scope, receive, send)
        if judged(scope, headers, secret, line, several):
            secret = headers = None
            return await app(scope, receive, send)
        return await _refuse(scope, send)

    return guarded


def _judged(policy: GuardPolicy) -> Callable[..., bool]:
    """The long way: whether a request is let in, counted."""
    rules, forwarded = policy.rules, policy.reads_forwarded
    secret_name, address_name = policy.header.lower().encode(), FORWARDED.encode()
    client, worker, token = (
        name.encode() if check in rules.checks else b""
        for name, check in (
            (policy.client_header or CONNECTING_IP, "presence_unsafe"),
            (WORKER, "worker"),
            (ASSERTION, "access"),
        )
    )
    named = in_scope(policy.client_header)

    def judged(
        scope: Scope, headers: Headers, secret: bytes | None, line: bytes | None, several: bool
    ) -> bool:
        if not forwarded:
            peer = scope.get("client")
            address = peer[0] if peer else None
        elif several:
            address = joined(headers, address_name)
        else:
            address = None if line is None else line.decode("latin-1")
        if several:
            given = joined(headers, secret_name)
        else:
            given = None if secret is None else secret.decode("latin-1")
        reason = judge(
            rules,
            given,
            address,
            joined(headers, client) if client else None,
            joined(headers, worker) if worker else None,
            joined(headers, token) if token else None,
        )
        if not policy.conclude(reason, scope.get("path", ""), address):
            return False
        if reason is reasons.ADMITTED and policy.believes:
            scope[CLIENT] = named if policy.edge_names else policy.reached_by(address)
        return True

    return judged


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
