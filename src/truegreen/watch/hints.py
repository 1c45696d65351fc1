"""Webhooks as hints: a small HTTP server that verifies a delivery and names the app it is about.

A delivery is no evidence. It only moves an app to the front of the watch, which then asks the API.
Heroku signs the body with HMAC-SHA256, in base64, in ``Heroku-Webhook-Hmac-SHA256``:
https://devcenter.heroku.com/articles/app-webhooks#using-the-webhook-signature
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from truegreen.secret import Secret

SIGNATURE = "Heroku-Webhook-Hmac-SHA256"
LARGEST = 256 * 1024  # bytes of a delivery
_TIMEOUT = 5.0  # seconds in which a delivery must have come


def genuine(body: bytes, signature: str, secret: Secret) -> bool:
    """Whether ``signature`` is that of ``body`` under ``secret``; compared in constant time."""
    try:
        given = base64.b64decode(signature.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        return False
    made = hmac.new(secret.reveal().encode(), body, hashlib.sha256).digest()
    return hmac.compare_digest(made, given)


def app_of(body: bytes) -> str:
    """The name of the app that a delivery is about, or "" when it names none."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    data = told.get("data") if isinstance(told, dict) else None
    app = data.get("app") if isinstance(data, dict) else None
    if app is None and isinstance(told, dict) and told.get("resource") == "app":
        app = data
    name = app.get("name") if isinstance(app, dict) else None
    return name if isinstance(name, str) else ""


@contextmanager
def listening(port: int, secret: Secret, hint: Callable[[str], None]) -> Iterator[int]:
    """Listens on 127.0.0.1 while the block runs, and calls ``hint`` with the app of every genuine
    delivery. Yields the port (``port`` 0: a free one). Put a TLS proxy before it to be reached."""

    class Handler(BaseHTTPRequestHandler):
        timeout = _TIMEOUT

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not (length.isascii() and length.isdigit()):
                return self._answer(411)
            if len(length) > 9 or int(length) > LARGEST:
                return self._answer(413)
            body = self.rfile.read(int(length))
            if not genuine(body, self.headers.get(SIGNATURE, ""), secret):
                return self._answer(401)
            name = app_of(body)
            if name:
                hint(name)
            return self._answer(204)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            return  # what a stranger sends is not for the terminal

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
