"""Requests to the Platform API: token, timeouts, retries, rate limit, and the errors they end in.

The only module that reveals the token, and only for the API's own scheme, host and port. Knows
no endpoint; client.py does. Uploads and output streams, which carry no token, live elsewhere.

What is asked again: GET and HEAD after anything that may pass (no connection, a reset, a
timeout, a cut-off body, 5xx); every other method only when the request provably never reached
the server (no connection was made) or was turned away unread (429). A POST whose answer got lost
may have been done; sending it again could deploy twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from truegreen.errors import PlatformRefused, PlatformUnreachable, UsageError, printable
from truegreen.heroku import localhost
from truegreen.heroku.address import ApiAddress
from truegreen.heroku.fields import UnexpectedAnswer, parse_json
from truegreen.heroku.retry import Deadline, backoff, retry_after
from truegreen.light_httpx import httpx
from truegreen.secret import REDACTED, Secret

ACCEPT = "application/vnd.heroku+json; version=3"
LARGEST_ANSWER = 32 * 1024 * 1024  # bytes; a page of 1,000 releases is about 1 MB
SAFE_METHODS = frozenset({"GET", "HEAD"})
NEVER_REACHED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
ATTEMPTS = 4
_MAYBE_DONE = "it may have been done all the same: look before asking again"


class Reply(NamedTuple):
    """An answer with a 2xx status. ``body`` is whole; ``json()`` reads it strictly."""

    what: str
    status: int
    headers: httpx.Headers
    body: bytes

    def json(self) -> Any:
        return parse_json(
            self.body, what=self.what, content_type=self.headers.get("content-type", "")
        )


class ApiTransport:
    """Sends requests to one API with one token. Threads may share it.

    ``timeout``: seconds without progress on one connection; ``deadline``: seconds for a request
    with all its retries. ``calls`` counts requests that were sent, retries included;
    ``rate_limit_remaining`` is the last RateLimit-Remaining, None before there was one.
    """

    def __init__(
        self,
        address: ApiAddress,
        token: Secret,
        *,
        timeout: float = 10.0,
        deadline: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float],
        token_source: str = "",
    ) -> None:
        self.address = address
        self._token = _checked(token)
        self._token_source = token_source
        self._timeout = timeout
        self._deadline = deadline
        self._sleep = sleep
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self.calls = 0
        self.rate_limit_remaining: int | None = None
        self.http = localhost.client(
            direct_host=address.host if address.is_loopback else "",
            transport=transport,
            follow_redirects=False,
            headers={"User-Agent": "truegreen"},
        )

    def __repr__(self) -> str:
        return f"ApiTransport({str(self.address)!r}, token={REDACTED})"

    def close(self) -> None:
        self.http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        within: float | None = None,
    ) -> Reply:
        """The answer to ``method path``. ``within`` (seconds) replaces the usual deadline.

        Raises PlatformRefused (3xx, 4xx), PlatformUnreachable (network, timeouts, 5xx to the
        end), UnexpectedAnswer (more than LARGEST_ANSWER).
        """
        what = f"{method} {path}"
        left = Deadline(self._deadline if within is None else within, self._clock)
        attempt = 0
        while True:
            request = self._build(method, path, json, headers, left)
            wait: float | None = None
            problem: PlatformUnreachable | PlatformRefused
            try:
                reply = self._send(what, request, left)
            except httpx.RequestError as error:
                never_reached = isinstance(error, NEVER_REACHED)
                again = never_reached or method in SAFE_METHODS
                problem = PlatformUnreachable(
                    f"{self.address} gave no answer to {what}: {self._cause(error)}",
                    hint=self._network_hint(never_reached, again),
                )
                problem.__cause__ = error
            else:
                if reply.status < 300:
                    return reply
                asked = retry_after(reply.headers.get("retry-after"), now=datetime.now(UTC))
                if reply.status == 429:
                    again, wait = True, 1.0 if asked is None else asked
                else:
                    again, wait = reply.status >= 500 and method in SAFE_METHODS, asked
                problem = self._refusal(reply)
            jittered = backoff(attempt, self._random, base=0.2, longest=5.0)
            wait = jittered if wait is None else wait + jittered / 2
            attempt += 1
            if not again or attempt >= ATTEMPTS or wait >= left.remaining:
                raise problem
            self._sleep(wait)

    def _build(
        self,
        method: str,
        path: str,
        json: Any,
        headers: Mapping[str, str] | None,
        left: Deadline,
    ) -> httpx.Request:
        seconds = max(0.001, min(self._timeout, left.remaining))
        request = self.http.build_request(
            method,
            f"{self.address}{path}",
            json=json,
            headers={"Accept": ACCEPT, **(headers or {})},
            timeout=seconds,
        )
        url = request.url
        if not self.address.is_origin_of(url.scheme, url.host, url.port):
            raise UsageError(f"{method} {path} does not lead to {self.address}: not sent")
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request

    def _send(self, what: str, request: httpx.Request, left: Deadline) -> Reply:
        with self._lock:
            self.calls += 1
        response = self.http.send(request, stream=True, follow_redirects=False)
        try:
            self._note_rate_limit(response.headers.get("ratelimit-remaining"))
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if len(body) > LARGEST_ANSWER:
                    raise UnexpectedAnswer(what, "", f"is over {LARGEST_ANSWER} bytes long")
                if left.passed:
                    raise httpx.ReadTimeout(f"no whole answer in {left.seconds:g} s")
        finally:
            response.close()
        return Reply(what, response.status_code, response.headers, bytes(body))

    def _note_rate_limit(self, value: str | None) -> None:
        if value is not None and value.isascii() and value.isdigit() and len(value) < 10:
            self.rate_limit_remaining = int(value)

    def _refusal(self, reply: Reply) -> PlatformUnreachable | PlatformRefused:
        error_id, message = self._error_body(reply)
        said = f": {message}" if message else ""
        if reply.status >= 500:
            hint = "" if reply.what.split(" ")[0] in SAFE_METHODS else _MAYBE_DONE
            return PlatformUnreachable(
                f"{self.address} answered {reply.status} to {reply.what}{said}", hint=hint
            )
        return PlatformRefused(
            f"{self.address} answered {reply.status} to {reply.what}{said}",
            status=reply.status,
            error_id=error_id,
            hint=self._hint(reply.status),
        )

    def _error_body(self, reply: Reply) -> tuple[str, str]:
        try:
            raw = reply.json()
        except UnexpectedAnswer:
            return "", ""
        if not isinstance(raw, Mapping):
            return "", ""
        return self._clean(raw.get("id"), 80), self._clean(raw.get("message"), 500)

    def _clean(self, value: object, longest: int) -> str:
        """Text of a server, fit to be shown: one line, no control signs, never the token."""
        if not isinstance(value, str):
            return ""
        text = value.replace(self._token.reveal(), REDACTED)
        return " ".join(printable(text).split())[:longest]

    def _cause(self, error: httpx.RequestError) -> str:
        return self._clean(str(error), 200) or type(error).__name__

    def _network_hint(self, never_reached: bool, again: bool) -> str:
        if not again:
            return _MAYBE_DONE
        if never_reached and self.address.is_loopback:
            return "is the platform running? `truegreen platform status`"
        return ""

    def _hint(self, status: int) -> str:
        if status == 401:
            return self._token_source or (
                "the token is what `token` of [env.…] in truegreen.toml points to, else "
                "HEROKU_API_KEY, or the embedded platform's token file"
            )
        if status == 429:
            return "the account's rate limit is used up; it refills by about 75 a minute"
        if status < 400:
            return "redirects are not followed with a token: is the API's URL right?"
        return ""


def _checked(token: Secret) -> Secret:
    """``token``, when it can stand in a header. Otherwise an HTTP library's error would show it."""
    value = token.reveal()
    if not value:
        raise UsageError("the platform's token is empty", hint="set it, e.g. in HEROKU_API_KEY")
    if not value.isascii() or any(char <= " " or char == "\x7f" for char in value):
        raise UsageError(
            "the platform's token holds blanks, line ends or non-ASCII signs",
            hint="copy it again; it is one word",
        )
    return token
