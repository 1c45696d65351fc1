"""What a zone's settings can do to a request beside its Transform Rule: pages of its own in front
of the app, a cache, visitors' headers taken away, or another owner's zone altogether.

Values, pages and the cache; when they are asked is `edge`'s. Facts: developers.cloudflare.com
"Detect a Challenge Page response" (``cf-mitigated: challenge``), "Remove visitor IP headers",
"Cloudflare Access", "Default cache behavior".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import h11

from truegreen.embedded.http1 import Answer, Forward, Head, Headers, OriginFailed, OriginSide
from truegreen.embedded.http1 import Fault as HttpFault

VISITOR = (b"cf-connecting-ip", b"cf-connecting-ipv6", b"true-client-ip", b"x-real-ip")
_MOST = 8 * 1024 * 1024  # bytes of one answer that is kept
_CHALLENGE = (
    b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>"
    b'<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script></body></html>'
)


@dataclass(frozen=True)
class EdgePolicy:
    """``challenge``: the status with which every visitor gets a challenge page, 0 for none (200
    comes without the header that says what the page is); ``login``: Access wants a sign-in;
    ``cache``: GETs that were 200 are answered from what was stored, whatever the origin says;
    ``hide_visitor``: the origin is not told the visitor's address; ``other_zone``: the request
    comes by somebody else's zone, which has no rule of ours and lets a header of ours pass."""

    challenge: int = 0
    login: bool = False
    cache: bool = False
    hide_visitor: bool = False
    other_zone: bool = False

    def page(self, host: str) -> Answer | None:
        if self.challenge:
            headers = [
                (b"Content-Type", b"text/html; charset=UTF-8"),
                (b"Cache-Control", b"no-store"),
            ]
            if self.challenge != 200:
                headers.append((b"cf-mitigated", b"challenge"))
            return Answer(self.challenge, headers, _CHALLENGE)
        if self.login:
            to = f"https://team.cloudflareaccess.com/cdn-cgi/access/login/{host}".encode("latin-1")
            return Answer(302, [(b"Location", to), (b"Cache-Control", b"no-store")], b"")
        return None


class EdgeCache:
    """Answers by host and target. ``clock``: seconds, for ``Age``."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[tuple[str, bytes], tuple[float, Answer]] = {}

    def forget(self, host: str) -> None:
        for key in [key for key in self._kept if key[0] == host]:
            del self._kept[key]

    async def answer(self, host: str, head: Head, plan: Forward, connect: float) -> Answer:
        """From what is stored, else from the origin. Raises OriginFailed."""
        found = self._kept.get((host, head.target))
        if found:
            since, kept = found
            age = str(int(self._clock() - since)).encode()
            return Answer(kept.status, _marked(kept.headers, b"HIT", age), kept.body)
        fresh = await _fetch(head, plan, connect)
        if fresh.status == 200:
            self._kept[host, head.target] = (self._clock(), fresh)
        return Answer(fresh.status, _marked(fresh.headers, b"MISS"), fresh.body)


def _marked(headers: object, status: bytes, age: bytes | None = None) -> Headers:
    assert isinstance(headers, list)
    more = [(b"Age", age)] if age is not None else []
    return [*headers, *more, (b"CF-Cache-Status", status)]


async def _fetch(head: Head, plan: Forward, connect: float) -> Answer:
    origin = await OriginSide.connect(plan.address, connect)
    try:
        sent = [*plan.headers, (b"Connection", b"close")]
        await origin.send(h11.Request(method=b"GET", target=head.target, headers=sent))
        await origin.send(h11.EndOfMessage())
        status, headers, body = 0, [], b""
        dropped = (b"content-length", b"transfer-encoding", b"connection", b"age")
        while True:
            event = await origin.next_event()
            if isinstance(event, h11.Response):
                status = event.status_code
                headers = [p for p in event.headers.raw_items() if p[0].lower() not in dropped]
            elif isinstance(event, h11.Data) and len(body) < _MOST:
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return Answer(status, headers, body)
            elif not isinstance(event, h11.InformationalResponse):
                raise OriginFailed(HttpFault.CLOSED)
    finally:
        await origin.close()
