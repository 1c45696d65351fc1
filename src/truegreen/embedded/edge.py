"""The edge in front of the router: what Cloudflare does to a request, and to its response.

Facts: developers.cloudflare.com "HTTP headers", "Transform Rules", "CDN-Loop", "5xx errors".
What Cloudflare *sets* replaces what the client sent under that name; there is no TLS here, and a
zone's further settings are `edge_policy`'s. Streaming, timeouts and framing are relay.py's.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from truegreen.embedded.edge_policy import VISITOR, EdgeCache, EdgePolicy
from truegreen.embedded.http1 import (
    Answer,
    Fault,
    Forward,
    Head,
    Headers,
    OriginFailed,
    Outcome,
    end_to_end,
    without,
)
from truegreen.embedded.relay import RelayServer, Timeouts
from truegreen.embedded.router import forwarded_for, host_name
from truegreen.errors import UsageError
from truegreen.secret import Secret

_SET_BY_CLOUDFLARE = (
    b"cf-connecting-ip",
    b"cf-connecting-ipv6",
    b"cf-pseudo-ipv4",
    b"cf-ray",
    b"cf-visitor",
    b"cf-ipcountry",
    b"cf-worker",
    b"cf-ew-via",
    b"cdn-loop",
    b"x-forwarded-proto",
)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
_ERRORS = {
    Fault.REFUSED: (521, "Web server is down"),
    Fault.CONNECT_TIMEOUT: (522, "Connection timed out"),
    Fault.FIRST_BYTE: (524, "A timeout occurred"),
}


@dataclass(frozen=True)
class EdgeRule:
    """A Transform Rule that sets ``header`` to ``secret``; without a secret it only removes it.

    Raises UsageError for a header name or a secret that HTTP cannot carry.
    """

    header: str
    secret: Secret | None

    def __post_init__(self) -> None:
        if not _TOKEN.fullmatch(self.header):
            raise UsageError(f"the edge's secret header: {self.header!r} is no header name")
        if self.secret is not None and not _VALUE.fullmatch(self.secret.reveal()):
            raise UsageError(
                f"the secret for {self.header} is empty or holds what no header may",
                hint="use printable ASCII without blanks at either end",
            )


class Edge:
    """Listens on ``host:port`` and sends everything on to ``origin`` with the Host unchanged.

    ``rule(host)``: the Transform Rule of a host name (lower case, no port), or None.
    ``policy(host)``: what else the zone is set to do, asked at each request.
    ``country``: CF-IPCountry; Cloudflare says XX for an address that it knows nothing about.
    """

    def __init__(
        self,
        rule: Callable[[str], EdgeRule | None],
        origin: tuple[str, int],
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        country: str = "XX",
        timeouts: Timeouts | None = None,
        policy: Callable[[str], EdgePolicy] = lambda _: EdgePolicy(),
    ) -> None:
        self._rule = rule
        self._policy = policy
        self._cache = EdgeCache()
        self._origin = origin
        self._host = host
        self._port = port
        self._country = country.encode()
        self._rays: dict[int, bytes] = {}
        self._timeouts = timeouts or Timeouts(first_byte=100, idle=100, retry=0)
        self._server = RelayServer(self, self._timeouts)

    async def start(self) -> int:
        """Listen; returns the port. Raises OSError when it is taken."""
        self._port = await self._server.start(self._host, self._port)
        return self._port

    async def close(self) -> None:
        """Stop listening and break off what is under way."""
        await self._server.close()

    def route_now(self, head: Head) -> Forward | Answer | None:
        """None for what the cache has to say."""
        host = host_name(head.host)
        policy = self._policy(host)
        if page := policy.page(host):
            return Answer(page.status, self._named(head, list(page.headers)), page.body)
        if not policy.cache:
            self._cache.forget(host)
        elif head.method == b"GET" and not head.wants_websocket:
            return None
        return self._forward(head, host, policy)

    async def route(self, head: Head) -> Forward | Answer:
        plan = self.route_now(head)
        if plan is None:
            host = host_name(head.host)
            plan = self._forward(head, host, self._policy(host))
            # what the origin has not begun to say in time is a fault as without a cache
            try:
                async with asyncio.timeout(self._timeouts.first_byte):
                    kept = await self._cache.answer(host, head, plan, self._timeouts.connect)
            except TimeoutError as error:
                raise OriginFailed(Fault.FIRST_BYTE) from error
            return Answer(kept.status, self._named(head, list(kept.headers), True), kept.body)
        return plan

    def _forward(self, head: Head, host: str, policy: EdgePolicy) -> Forward:
        rule = None if policy.other_zone else self._rule(host)
        ours: tuple[bytes, ...] = _SET_BY_CLOUDFLARE
        if rule:
            ours = (*ours, rule.header.lower().replace("_", "-").encode())
        headers = forwarded_for(without(end_to_end(head.headers), *ours), head.peer, "2.0")
        if policy.hide_visitor:
            headers = without(headers, *VISITOR, b"x-forwarded-for")
        else:
            headers.append((b"CF-Connecting-IP", head.peer.encode()))
        headers += [
            (b"CF-Ray", self._ray(head)),
            (b"CF-Visitor", json.dumps({"scheme": "http"}, separators=(",", ":")).encode()),
            (b"CF-IPCountry", self._country),
            (b"CDN-Loop", b"cloudflare; loops=1"),
            (b"X-Forwarded-Proto", b"http"),
        ]
        if rule and rule.secret is not None:
            headers.append((rule.header.encode(), rule.secret.reveal().encode()))
        return Forward(self._origin, headers)

    def fault(self, head: Head, fault: Fault) -> Answer:
        status, title = _ERRORS.get(fault, (520, "Web server is returning an unknown error"))
        ray = self._ray(head)
        text = (
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{status}: '
            f"{title}</title></head><body><h1>Error {status}</h1><p>{title}</p>"
            f"<p>Ray ID: {ray.decode()}</p></body></html>\n"
        )
        headers = self._named(head, [(b"Content-Type", b"text/html; charset=UTF-8")])
        return Answer(status, [*headers, (b"Cache-Control", b"no-store")], text.encode())

    def response_headers(self, head: Head, headers: Headers) -> Headers:
        return [*self._named(head, headers), (b"CF-Cache-Status", b"DYNAMIC")]

    def finished(self, head: Head, plan: Forward | Answer | None, outcome: Outcome) -> None:
        self._rays.pop(id(head), None)

    def _named(self, head: Head, headers: Headers, cached: bool = False) -> Headers:
        ours = (b"server", b"cf-ray") if cached else (b"server", b"cf-ray", b"cf-cache-status")
        rest = [p for p in headers if p[0].lower() not in ours]
        return [*rest, (b"Server", b"cloudflare"), (b"CF-Ray", self._ray(head))]

    def _ray(self, head: Head) -> bytes:
        """One id an exchange; the head lives as long as it, and ``finished`` forgets it."""
        return self._rays.setdefault(id(head), f"{secrets.token_hex(8)}-LOC".encode())
