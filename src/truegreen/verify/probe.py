"""Plain HTTP requests to the app: through the edge, and past it. Knows nothing of verdicts."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from truegreen.errors import printable
from truegreen.light_httpx import httpx
from truegreen.model import digest_of

# A page that asks a browser to prove itself, or a person to sign in, is no answer of the app.
# cf-mitigated: https://developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response/
_CHALLENGE_MARKS = (b"challenge-platform", b"cf-chl-", b"Just a moment...", b"cf_chl_opt")
_STORED = ("HIT", "STALE", "UPDATING", "REVALIDATED")
# How a health endpoint says that it fails; the first two are the draft's own words.
# https://datatracker.ietf.org/doc/html/draft-inadarei-api-health-check
_FAILING = ("fail", "error", "down", "unhealthy")
_HIT = re.compile(r"(?:^|[;,])\s*(?:refresh)?hit\b", re.IGNORECASE)
_VERSION = re.compile(r"v[1-9][0-9]{0,8}", re.ASCII)
_BESIDE = re.compile(r"\[[^\]]*\]|\(_ssl\.c:\d+\)")  # of an error: its number, its line in C
_LOGIN_HOST = ".cloudflareaccess.com"
_MOST = 256 * 1024
LONGEST = 20.0  # seconds for one answer, once it has begun


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One response, or why there was none (``error``, then ``status`` is 0)."""

    url: str
    status: int
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes = b""
    error: str = ""
    whole: bool = True  # False: the body was longer, and this is its beginning

    @property
    def digest(self) -> str:
        return digest_of(self.body) if self.status else ""

    @property
    def document(self) -> Mapping[str, Any]:
        """The JSON object in the body, or an empty one. One that says a thing twice says none."""
        try:
            value = json.loads(self.body if self.whole else b"", object_pairs_hook=_unique)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def commit(self) -> str | None:
        value = self.document.get("commit")
        return value.lower() if isinstance(value, str) and value else None

    @property
    def release(self) -> str | None:
        """The platform's release that the app says it runs as, ``v12``."""
        value = self.document.get("release")
        return value if isinstance(value, str) and _VERSION.fullmatch(value) else None

    @property
    def failing(self) -> str:
        """The word with which the body itself says that the app is not well, or empty."""
        value = self.document.get("status")
        return value if isinstance(value, str) and value.lower() in _FAILING else ""

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
        (an Age above nothing), RFC 9211 (Cache-Status), and X-Cache as Fastly and CloudFront say
        it."""
        status = self.headers.get("cf-cache-status", "").strip().upper()
        if status in _STORED:
            return f"cache (cf-cache-status: {status})"
        for name in ("cache-status", "x-cache"):
            if _HIT.search(self.headers.get(name, "")):
                return f"cache ({name}: hit)"
        age = self.headers.get("age", "").strip()
        return f"cache (age: {age[:9]})" if age.strip("0") and age.isdecimal() else ""

    @property
    def summary(self) -> str:
        """``200``, ``403 direct_origin_blocked``, ``301 to https://…``, or the error."""
        if not self.status:
            return self.error
        if 300 <= self.status < 400 and (where := self.headers.get("location")):
            return f"{self.status} to {_shown(where)}"
        reason = self.document.get("error")
        return f"{self.status} {_shown(reason)}" if isinstance(reason, str) else str(self.status)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _shown(text: str) -> str:
    return printable(text[:200])


Get = Callable[[str, Mapping[str, str]], HttpAnswer]


class Prober:
    """Makes GET requests without following redirects; a connection error is an answer too, and so
    is a body that has not ended after LONGEST seconds by ``clock``, however it drips."""

    def __init__(
        self, client: httpx.Client, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._clock = clock

    def get(self, url: str, headers: Mapping[str, str] = MappingProxyType({})) -> HttpAnswer:
        sent = {"User-Agent": "truegreen-verify", "Cache-Control": "no-cache", **headers}
        until = self._clock() + LONGEST
        try:
            with self._client.stream("GET", url, headers=sent, follow_redirects=False) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > _MOST:
                        break
                    if self._clock() >= until:
                        raise httpx.ReadTimeout("it drips")
                lowered = {k.lower(): v for k, v in response.headers.items()}
                whole = len(body) <= _MOST
                return HttpAnswer(
                    url, response.status_code, lowered, bytes(body[:_MOST]), whole=whole
                )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return HttpAnswer(url, 0, error=_why(error, url))


def _why(error: Exception, url: str) -> str:
    where = urlsplit(url).netloc.rpartition("@")[2]
    if isinstance(error, httpx.ConnectError):
        reason = _BESIDE.sub("", str(error)).strip()
        return f"no connection to {where}" + (f": {_shown(reason)}" if reason else "")
    if isinstance(error, httpx.TimeoutException):
        return f"{where} gave no answer in time"
    return f"{type(error).__name__}: {error}"
