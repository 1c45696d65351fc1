"""HTTP clients that reach ``*.localhost`` on every machine, as RFC 6761 wants it.

``getaddrinfo`` does not know such names everywhere, so the connection goes to 127.0.0.1 while
the Host header (and the TLS name) stay as asked for. Loopback never goes through a proxy. No
knowledge of the Platform API here, and no token.
"""

from __future__ import annotations

import functools
import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

from truegreen.light_httpx import httpx

# Shorter than what servers grant (uvicorn: 5 s), so that a request is not sent into a
# connection that is just being closed: a POST that dies there may not be sent again.
LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=2.0)

_LOOPBACK_PATTERNS = ("all://localhost", "all://*.localhost", "all://127.0.0.1", "all://[::1]")


@functools.cache
def _tls() -> ssl.SSLContext:
    """One context a process: each costs about 15 ms, and loopback seldom needs any."""
    return httpx.create_ssl_context()


class LocalhostTransport(httpx.BaseTransport):
    """Hands requests on to ``inner``; those for ``*.localhost`` with 127.0.0.1 as the address."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._inner.handle_request(redirect_to_loopback(request))

    def close(self) -> None:
        self._inner.close()


def redirect_to_loopback(request: httpx.Request) -> httpx.Request:
    """``request`` itself, or for a ``*.localhost`` host the same one addressed to 127.0.0.1."""
    host = request.url.host
    if not host.lower().endswith(".localhost"):
        return request
    return httpx.Request(
        request.method,
        request.url.copy_with(host="127.0.0.1"),
        headers=request.headers,  # holds Host already, with the name
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )


def direct_transport() -> httpx.BaseTransport:
    """A transport that uses no proxy and knows ``*.localhost``."""
    return LocalhostTransport(httpx.HTTPTransport(verify=_tls(), limits=LIMITS, trust_env=False))


def client(*, direct_host: str = "", **kwargs: Any) -> httpx.Client:
    """An ``httpx.Client`` that reaches ``*.localhost``; ``kwargs`` are that class's own.

    Other hosts go the usual way, proxies of the environment included; loopback names, and
    ``direct_host`` when given, never go through a proxy. A ``transport`` in ``kwargs`` is
    wrapped and then carries everything. Redirects are not followed unless asked for, and no cookie
    is kept: one that pins a session to a dyno would have all that is asked answered by that dyno.
    """
    kwargs.setdefault("cookies", CookieJar(DefaultCookiePolicy(allowed_domains=[])))
    transport: httpx.BaseTransport | None = kwargs.pop("transport", None)
    if transport is not None:
        return httpx.Client(transport=LocalhostTransport(transport), **kwargs)
    direct = direct_transport()
    patterns = [*_LOOPBACK_PATTERNS]
    if direct_host:
        host = f"[{direct_host}]" if ":" in direct_host else direct_host
        patterns.append(f"all://{host}")
    mounts: dict[str, httpx.BaseTransport | None] = dict.fromkeys(patterns, direct)
    mounts.update(kwargs.pop("mounts", {}))
    kwargs.setdefault("verify", _tls())
    kwargs.setdefault("limits", LIMITS)
    return httpx.Client(mounts=mounts, **kwargs)
