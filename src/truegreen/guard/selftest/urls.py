"""Sends requests to a URL exactly as given: duplicates, odd bytes and the path as they are.

A socket of its own for each request; no redirect is followed. Not for a request's path: only the
selftest talks to the network.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from truegreen.errors import UsageError
from truegreen.guard.selftest.exchange import Answer, Request

LONGEST = 15.0
"""Seconds to connect, and between two pieces of an answer."""
Connect = Callable[[tuple[str, int], float], socket.socket]
MOST = 256 * 1024
"""Bytes of a body that are read."""


class UrlDriver:
    """Sends to one base URL (http or https; its path is dropped). Raises UsageError for another.

    ``timeout``: seconds. ``connect``: opens the connection to (host, port). ``*.localhost`` is
    connected to at 127.0.0.1 (RFC 6761), which not every resolver knows.
    """

    def __init__(
        self, url: str, *, timeout: float = LONGEST, connect: Connect = socket.create_connection
    ) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError as error:
            raise UsageError(f"{url!r}: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise UsageError(f"{url!r} is no base URL", hint="write https://api.example.com")
        self.url = url
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._name = parts.hostname
        local = self._name.endswith(".localhost")
        self._address = (
            "127.0.0.1" if local else self._name,
            port or (443 if self._tls else 80),
        )
        self._host = parts.netloc.encode("idna" if not parts.netloc.isascii() else "ascii")
        self._timeout = timeout
        self._connect = connect

    @property
    def port(self) -> int:
        return self._address[1]

    def send(self, request: Request) -> Answer:
        try:
            with self._connect(self._address, self._timeout) as plain:
                if self._tls is None:
                    return self._exchange(plain, request)
                with self._tls.wrap_socket(plain, server_hostname=self._name) as secured:
                    return self._exchange(secured, request)
        except TimeoutError:
            return Answer(0, error="timed out")
        except http.client.HTTPException as error:
            return Answer(0, error=f"no HTTP answer: {type(error).__name__}")
        except OSError as error:
            return Answer(0, error=f"no connection: {error.strerror or type(error).__name__}")

    def _exchange(self, connection: socket.socket, request: Request) -> Answer:
        connection.sendall(self.head(request))
        response = http.client.HTTPResponse(connection, method=request.method)
        try:
            response.begin()
            headers = tuple((name.lower(), value) for name, value in response.getheaders())
            body = response.read(MOST) if response.status != 101 else b""
            return Answer(response.status, headers, body)
        finally:
            response.close()

    def head(self, request: Request) -> bytes:
        """The bytes of the request. Adds Host and, unless it says its own, Connection: close."""
        lines = [request.method.encode() + b" " + request.target + b" HTTP/1.1"]
        lines.append(b"Host: " + self._host)
        lines += [name + b": " + value for name, value in request.headers]
        if not any(name.lower() == b"connection" for name, _ in request.headers):
            lines.append(b"Connection: close")
        return b"\r\n".join([*lines, b"", b""])
