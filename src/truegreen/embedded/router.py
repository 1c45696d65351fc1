"""The router in front of the dynos: host name to app, Heroku's request headers, its error pages.

Facts: devcenter "HTTP Routing", "Router 2.0", "Heroku Error Codes". The legacy router appends the
peer to the *first* X-Forwarded-For line only and hands a second one on; both are here, because a
guard has to be right behind both. Streaming, timeouts and framing are relay.py's.
"""

from __future__ import annotations

import asyncio
import html
import random
import re
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple, Protocol

from truegreen.address import packed
from truegreen.embedded.dynos import DynoState, Log
from truegreen.embedded.http1 import (
    Answer,
    Fault,
    Forward,
    Head,
    Headers,
    Outcome,
    end_to_end,
    values,
    without,
)
from truegreen.embedded.relay import RelayServer, Timeouts

RouterVersion = Literal["2.0", "legacy"]

_VIA = {"2.0": b"1.1 heroku-router", "legacy": b"1.1 vegur"}
_SET_BY_US = (b"x-forwarded-proto", b"x-forwarded-port", b"x-request-start", b"x-request-id")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9+/=-]{20,200}")
_POLL = 0.02
_CODES = {
    Fault.REFUSED: ("H21", "Backend connection refused"),
    Fault.CONNECT_TIMEOUT: ("H19", "Backend connection timeout"),
    Fault.FIRST_BYTE: ("H12", "Request timeout"),
    Fault.CLOSED: ("H13", "Connection closed without response"),
    Fault.MALFORMED: ("H17", "Poorly formatted HTTP response"),
    Fault.INTERRUPTED: ("H18", "Server Request Interrupted"),
    Fault.IDLE: ("H15", "Idle connection"),
    Fault.CLIENT_GONE: ("H27", "Client Request Interrupted"),
    Fault.CLIENT_IDLE: ("H28", "Client Connection Idle"),
    Fault.CLIENT_MALFORMED: ("H27", "Client Request Interrupted"),
}


class Dynos(Protocol):
    """What the router asks of the dyno manager."""

    def serving(self, app: str) -> list[DynoState]: ...


class Router:
    """Listens on ``host:port`` and hands each request to a dyno that is up.

    ``resolve_app(host)``: the app behind a host name (lower case, no port), or None.
    ``app_names()``: every app; a bare address or ``localhost`` means the only one there is.
    ``log(app, "router", line)`` gets a line in Heroku's form for each request.
    ``maintenance(app)``: is the app's page the one for maintenance (H80)?
    ``boot_hold``: seconds that a request waits for a dyno that is starting.
    """

    def __init__(
        self,
        resolve_app: Callable[[str], str | None],
        manager: Dynos,
        app_names: Callable[[], list[str]],
        host: str = "127.0.0.1",
        port: int = 0,
        version: RouterVersion = "2.0",
        *,
        log: Log | None = None,
        timeouts: Timeouts | None = None,
        boot_hold: float = 30.0,
        maintenance: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._resolve_app = resolve_app
        self._dynos = manager
        self._app_names = app_names
        self._host = host
        self._port = port
        self._version: RouterVersion = version
        self._log = log
        self._boot_hold = boot_hold
        self._maintenance = maintenance
        self._server = RelayServer(self, timeouts or Timeouts())

    async def start(self) -> int:
        """Listen; returns the port. Raises OSError when it is taken."""
        self._port = await self._server.start(self._host, self._port)
        return self._port

    async def close(self) -> None:
        """Stop listening and break off what is under way."""
        await self._server.close()

    def app_of_host(self, host: str) -> str | None:
        """The app that a Host header (with or without a port) means."""
        name = host_name(host)
        if is_bare(name):
            names = self._app_names()
            return names[0] if len(names) == 1 else None
        return self._resolve_app(name)

    def route_now(self, head: Head) -> Forward | Answer | None:
        """None when no dyno is up and one is starting."""
        app = self.app_of_host(head.host)
        if app is None:
            return self._no_app(head)
        if self._maintenance(app):
            said = "<p>This application is undergoing maintenance. Please check back later.</p>"
            return _page(503, "Offline for Maintenance", said, _note("H80", "Maintenance mode"))
        web = [dyno for dyno in self._dynos.serving(app) if dyno.type == "web"]
        if up := [dyno for dyno in web if dyno.state == "up" and dyno.port]:
            dyno = random.choice(up)  # noqa: S311 - Heroku's router picks at random too
            assert dyno.port is not None
            return self._forward(head, app, dyno.name, dyno.port)
        if any(dyno.state == "starting" for dyno in web):
            return None
        if any(dyno.state == "crashed" for dyno in web):
            return error_page("H10", "App crashed")
        return error_page("H14", "No web processes running")

    async def route(self, head: Head) -> Forward | Answer:
        until = time.monotonic() + self._boot_hold
        while (plan := self.route_now(head)) is None:
            if time.monotonic() >= until:
                return error_page("H20", "App boot timeout")
            await asyncio.sleep(_POLL)
        return plan

    def fault(self, head: Head, fault: Fault) -> Answer:
        return error_page(*_CODES[fault])

    def response_headers(self, head: Head, headers: Headers) -> Headers:
        return [*headers, (b"Via", _VIA[self._version])]

    def finished(self, head: Head, plan: Forward | Answer | None, outcome: Outcome) -> None:
        if self._log is None:
            return
        if isinstance(plan, Forward) and isinstance(plan.label, _Sent):
            app, dyno, request_id, fwd = plan.label
        else:
            found = self.app_of_host(head.host)
            if found is None:
                return
            app, dyno, request_id = found, "", request_id_of(head.headers) or b"-"
            fwd = b", ".join([*head.values(b"x-forwarded-for"), head.peer.encode()])
        error = plan.note if isinstance(plan, Answer) else ""
        if outcome.fault:
            error = _note(*_CODES[outcome.fault])
        self._log(
            app,
            "router",
            f"at={f'error {error}' if error else 'info'} method={_text(head.method)} "
            f'path="{_text(head.target)}" host={_text(head.host.encode("latin-1"))} '
            f'request_id={request_id.decode()} fwd="{_text(fwd)}" dyno={dyno} '
            f"connect={outcome.connect * 1000:.0f}ms service={outcome.service * 1000:.0f}ms "
            f"status={outcome.status} bytes={outcome.body_bytes} protocol=http",
        )

    def _forward(self, head: Head, app: str, dyno: str, port: int) -> Forward:
        passed, request_id, fwd = _passed(head.headers, head.peer, self._version)
        request_id = request_id or _new_request_id()
        headers = [
            *passed,
            (b"X-Request-Id", request_id),
            (b"X-Forwarded-Proto", b"http"),
            (b"X-Forwarded-Port", b"%d" % self._port),
            (b"X-Request-Start", b"%d" % (time.time_ns() // 1_000_000)),
            (b"Via", _VIA[self._version]),
        ]
        return Forward(("127.0.0.1", port), headers, _Sent(app, dyno, request_id, fwd))

    def _no_app(self, head: Head) -> Answer:
        if not is_bare(host_name(head.host)):
            return _page(404, "No such app", "<p>There's nothing here, yet.</p>")
        items = "".join(
            f"<li>http://{html.escape(name)}.localhost:{self._port}/</li>"
            for name in sorted(self._app_names())
        )
        said = f"<p>Ask for one of these:</p><ul>{items}</ul>" if items else "<p>No app yet.</p>"
        return _page(404, "Which app?", said)


class _Sent(NamedTuple):
    """What the log line of a forwarded request tells."""

    app: str
    dyno: str
    request_id: bytes
    fwd: bytes


@lru_cache(maxsize=64)
def _passed(
    headers: tuple[tuple[bytes, bytes], ...], peer: str, version: RouterVersion
) -> tuple[Headers, bytes | None, bytes]:
    """What goes on of a request's headers, its valid request id, and who it was forwarded for."""
    passed = forwarded_for(without(end_to_end(headers), *_SET_BY_US), peer, version)
    fwd = b", ".join([*values(headers, b"x-forwarded-for"), peer.encode()])
    return passed, request_id_of(headers), fwd


def _new_request_id() -> bytes:
    """A UUID of version 4. It protects nothing, so it need not be hard to guess."""
    bits = random.getrandbits
    parts = (bits(32), bits(16), bits(12), bits(12), bits(48))
    return b"%08x-%04x-4%03x-a%03x-%012x" % parts


def forwarded_for(headers: Headers, peer: str, version: RouterVersion) -> Headers:
    """The headers with the peer appended to X-Forwarded-For, the way that router does it."""
    address = peer.encode()
    lines = values(headers, b"x-forwarded-for")
    if version == "2.0" or not lines:
        rest = [pair for pair in headers if pair[0].lower() != b"x-forwarded-for"]
        return [*rest, (b"X-Forwarded-For", b", ".join([*lines, address]))]
    made: Headers = []
    first = True
    for name, value in headers:
        if first and name.lower() == b"x-forwarded-for":
            made.append((name, value + b", " + address))
            first = False
        else:
            made.append((name, value))
    return made


def request_id_of(headers: Sequence[tuple[bytes, bytes]]) -> bytes | None:
    """The X-Request-Id if it is valid: 20 to 200 characters (devcenter "HTTP Request IDs")."""
    found = values(headers, b"x-request-id")
    return found[0] if len(found) == 1 and _REQUEST_ID.fullmatch(found[0]) else None


@lru_cache(maxsize=1024)
def host_name(host: str) -> str:
    """The name or address in a Host header: no port, lower case, no brackets, no final dot."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().removesuffix(".")


@lru_cache(maxsize=1024)
def is_bare(name: str) -> bool:
    """Is it an address, ``localhost`` or nothing: a host that names no app?"""
    return name in ("", "localhost") or packed(name) is not None


def error_page(code: str, description: str) -> Answer:
    """Heroku's 503 page; the code stands in the router's log line only."""
    said = (
        "<p>An error occurred in the application and your page could not be served. If you are "
        "the application owner, check your logs for details.</p>"
    )
    return _page(503, "Application error", said, note=_note(code, description))


def _note(code: str, description: str) -> str:
    return f'code={code} desc="{description}"'


def _page(status: int, title: str, body: str, note: str = "") -> Answer:
    text = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"</head><body><h1>{title}</h1>{body}</body></html>\n"
    )
    headers = [
        (b"Content-Type", b"text/html; charset=utf-8"),
        (b"Cache-Control", b"no-cache, no-store"),
        (b"Server", b"heroku-router"),
    ]
    return Answer(status, headers, text.encode(), note)


def _text(raw: bytes) -> str:
    """For a log line: printable, in one line, no quotation mark, bounded."""
    text = raw[:500].decode("latin-1")
    if text.isprintable() and '"' not in text:
        return text
    return "".join(c if c.isprintable() and c != '"' else "?" for c in text)
