"""Health on a path of a WSGI application, which never sees a request for that path."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from truegreen.headers import environ_key
from truegreen.health.report import HEADERS, TOKEN_HEADER, Health

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

NOT_ALLOWED = b'{"error": "method_not_allowed"}'
ALLOWED = "GET, HEAD"
_TOKEN_KEY = environ_key(TOKEN_HEADER)
_STATUS = {200: "200 OK", 503: "503 Service Unavailable"}


class HealthEndpoint:
    """WSGI middleware: GET and HEAD of ``path`` are ``health``'s, the rest goes to ``app``.

    ``path``: the whole path, matched exactly. The detail view runs in the server's own thread.
    Put the guard outside of it; list ``path`` in the guard's ``exempt`` only if something that does
    not come through the edge must read the brief view.
    """

    def __init__(self, app: WSGIApplication, health: Health, path: str = "/health") -> None:
        self.app = app
        self.health = health
        self.path = path
        self._brief = encoded(health.brief())

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "") != self.path:
            return self.app(environ, start_response)
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            _start(start_response, "405 Method Not Allowed", NOT_ALLOWED, ("Allow", ALLOWED))
            return [NOT_ALLOWED]
        status, body = 200, self._brief
        if self.health.accepts(environ.get(_TOKEN_KEY)):
            status, document = self.health.report()
            body = encoded(document)
        _start(start_response, _STATUS[status], body)
        return [b"" if method == "HEAD" else body]


def encoded(document: object) -> bytes:
    """A document as it goes over the wire."""
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def headers(body: bytes) -> list[tuple[str, str]]:
    """The headers of an answer with ``body``."""
    return [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        *HEADERS.items(),
    ]


def _start(start_response: StartResponse, status: str, body: bytes, *more: tuple[str, str]) -> None:
    start_response(status, [*headers(body), *more])
