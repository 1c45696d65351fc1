"""Plain HTTP requests to the app: through the edge, and past it. Knows nothing of verdicts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from truegreen.light_httpx import httpx
from truegreen.model import digest_of

# A page that asks a browser to prove itself, or a person to sign in, is no answer of the app.
# cf-mitigated: https://developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response/
_CHALLENGE_MARKS = (b"challenge-platform", b"cf-chl-", b"Just a moment...", b"cf_chl_opt")
_STORED = ("HIT", "STALE", "UPDATING", "REVALIDATED")
_LOGIN_HOST = ".cloudflareaccess.com"
_MOST = 256 * 1024


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One response, or why there was none (``error``, then ``status`` is 0)."""

    url: str
    status: int
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes = b""
    error: str = ""

    @property
    def digest(self) -> str:
        return digest_of(self.body) if self.status else ""

    @property
    def document(self) -> Mapping[str, Any]:
        """The JSON object in the body, or an empty one."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def commit(self) -> str | None:
        value = self.document.get("commit")
        return value if isinstance(value, str) and value else None

    @property
    def interstitial(self) -> str:
        """``challenge page``, ``login page``, or empty when the app itself seems to answer."""
        if self.headers.get("cf-mitigated") == "challenge":
            return "challenge page"
        location = self.headers.get("location", "")
        if self.status in (301, 302, 303, 307, 308) and _LOGIN_HOST in location:
            return "login page"
        if any(mark in self.body for mark in _CHALLENGE_MARKS):
            return "challenge page"
        return ""

    @property
    def stored(self) -> str:
        """Which cache answered in the app's place, as it says itself; empty when none says so. What
        was stored says nothing of who serves now. Sources: Cloudflare's cf-cache-status, RFC 9111
        (an Age above nothing)."""
        status = self.headers.get("cf-cache-status", "").strip().upper()
        if status in _STORED:
            return f"cache (cf-cache-status: {status})"
        age = self.headers.get("age", "").strip()
        return f"cache (age: {age[:9]})" if age.strip("0") and age.isdecimal() else ""

    @property
    def summary(self) -> str:
        """``200``, ``403 direct_origin_blocked``, or the error."""
        if not self.status:
            return self.error
        reason = self.document.get("error")
        return f"{self.status} {reason}" if isinstance(reason, str) else str(self.status)


Get = Callable[[str, Mapping[str, str]], HttpAnswer]


class Prober:
    """Makes GET requests without following redirects; a connection error is an answer too."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, url: str, headers: Mapping[str, str] = MappingProxyType({})) -> HttpAnswer:
        sent = {"User-Agent": "truegreen-verify", "Cache-Control": "no-cache", **headers}
        try:
            with self._client.stream("GET", url, headers=sent, follow_redirects=False) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > _MOST:
                        break
                lowered = {k.lower(): v for k, v in response.headers.items()}
                return HttpAnswer(url, response.status_code, lowered, bytes(body[:_MOST]))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return HttpAnswer(url, 0, error=_why(error))


def _why(error: Exception) -> str:
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    if isinstance(error, httpx.TimeoutException):
        return "timed out"
    return f"{type(error).__name__}: {error}"
