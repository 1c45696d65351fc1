"""A guard's counts in Prometheus' text format (version 0.0.4), and a path that serves them.

The path is put *inside* the guard, and asks for a token of its own: who may see how often which
check refused is nobody's business who came through the front door.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING

from truegreen.guard.profiles import GuardError
from truegreen.headers import environ_key, single
from truegreen.secret import SecretBytes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from truegreen.guard.asgi import ASGIApplication, Receive, Scope, Send
    from truegreen.guard.policy import GuardPolicy
    from truegreen.secret import Secret

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
DEFAULT_PATH = "/-/guard/metrics"


def exposition(policy: GuardPolicy) -> str:
    """The counts of ``policy``'s process as text; each worker has its own."""
    lines = [
        "# HELP truegreen_guard_requests_total Requests that the origin guard judged, by reason.",
        "# TYPE truegreen_guard_requests_total counter",
        *(
            f'truegreen_guard_requests_total{{mode="{policy.mode}",reason="{reason}"}} {total}'
            for reason, total in policy.tally.counts.items()
        ),
    ]
    for name, what, value in (
        (
            "last_refusal_timestamp_seconds",
            "When a request was last refused.",
            policy.last_refused_at,
        ),
        (
            "ranges_age_seconds",
            "Age of the edge's list of networks.",
            None if policy.list_age_days is None else policy.list_age_days * 86_400,
        ),
        ("ranges_stale", "1: the list is too old, nothing passes.", float(policy.list_stale)),
    ):
        if value is not None:
            full = f"truegreen_guard_{name}"
            lines += [f"# HELP {full} {what}", f"# TYPE {full} gauge", f"{full} {value:.3f}"]
    return "\n".join(lines) + "\n"


def wsgi(
    app: WSGIApplication, policy: GuardPolicy, token: Secret, path: str = DEFAULT_PATH
) -> WSGIApplication:
    """``app`` with the counts at ``path`` for who sends ``Authorization: Bearer TOKEN``; anybody
    else gets what ``app`` answers. ``path``: the whole, wherever the application is mounted.

    Use as ``OriginGuard(wsgi(app, policy, token), policy)``. Raises GuardError for a token that is
    empty or that no header carries.
    """
    expected, key = _expected(token), environ_key("Authorization")

    def served(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "") != path:
            return app(environ, start_response)
        given = environ.get(key, "").encode("latin-1", "replace")
        if not compare_digest(given, expected):
            return app(environ, start_response)
        body = exposition(policy).encode()
        start_response("200 OK", _headers(body))
        return [b""] if environ.get("REQUEST_METHOD") == "HEAD" else [body]

    return served


def asgi(
    app: ASGIApplication, policy: GuardPolicy, token: Secret, path: str = DEFAULT_PATH
) -> ASGIApplication:
    """As ``wsgi``, for an ASGI application."""
    expected = _expected(token)

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != path:
            return await app(scope, receive, send)
        given = single(scope["headers"], b"authorization") or ""
        if not compare_digest(given.encode("latin-1"), expected):
            return await app(scope, receive, send)
        body = exposition(policy).encode()
        lines = [(name.lower().encode(), value.encode()) for name, value in _headers(body)]
        await send({"type": "http.response.start", "status": 200, "headers": lines})
        sent = b"" if scope.get("method") == "HEAD" else body
        await send({"type": "http.response.body", "body": sent})

    return served


def _headers(body: bytes) -> list[tuple[str, str]]:
    return [
        ("Content-Type", CONTENT_TYPE),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]


def _expected(token: Secret) -> bytes:
    if why := token.unsendable() if token else "is empty":
        raise GuardError(f"origin guard: the token of the metrics {why}", hint="set one")
    return SecretBytes(b"Bearer " + token.reveal().encode("latin-1"))
