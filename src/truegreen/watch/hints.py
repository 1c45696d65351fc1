"""Webhooks as hints: what a genuine delivery is, and a small HTTP server that takes them for one
watch. (The board takes them for all: board/hints.py.)

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
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from truegreen.secret import Secret

SIGNATURE = "Heroku-Webhook-Hmac-SHA256"
LARGEST = 256 * 1024  # bytes of a delivery
APP = re.compile(r"[a-z][a-z0-9-]{0,62}")  # what may be an app's name, and no more of it is kept
_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_TIMEOUT = 5.0  # seconds in which a delivery must have come


def genuine(body: bytes, signature: str, secret: Secret) -> bool:
    """Whether ``signature`` is that of ``body`` under ``secret``; compared in constant time."""
    try:
        given = base64.b64decode(signature.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        return False
    made = hmac.new(secret.reveal().encode(), body, hashlib.sha256).digest()
    return hmac.compare_digest(made, given)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a genuine body says of itself, as far as it does. ``app``: "" when it names none.
    ``id``: of the delivery, the same when the platform tries again (else the body's digest).
    ``at``: when its event was published, None when it does not say."""

    app: str
    id: str
    at: datetime | None


def delivery_of(body: bytes) -> Delivery:
    """Reads a body. Whatever else is in it is not looked at: the API is asked."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    told = told if isinstance(told, dict) else {}
    data = _part(told, "data")
    app = _part(data, "app")
    if not app and told.get("resource") == "app":
        app = data
    name = app.get("name")
    given = _part(_part(told, "webhook_metadata"), "delivery").get("id")
    return Delivery(
        name if isinstance(name, str) and APP.fullmatch(name) else "",
        given if isinstance(given, str) and _ID.fullmatch(given) else _digest(body),
        _moment(told.get("published_at")) or _moment(told.get("created_at")),
    )


def _part(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = value.get(key)
    return part if isinstance(part, dict) else {}


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


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
            name = delivery_of(body).app
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
