"""One repository's part of GitHub's REST API: how it is asked, and what is no answer.

Facts: https://docs.github.com/en/rest, API version 2022-11-28; lists come 100 a page. The token
goes to the API's host and nowhere else: no redirect is followed, and only TLS or loopback spoken.
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from truegreen.errors import PlatformRefused, PlatformUnreachable, UsageError
from truegreen.heroku.address import is_loopback
from truegreen.heroku.fields import UnexpectedAnswer, parse_json
from truegreen.heroku.localhost import client as http_client
from truegreen.light_httpx import httpx
from truegreen.secret import Secret

API = "https://api.github.com"
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
PAGE = 100
_HINTS = {
    401: "is the token right?",
    403: "may the token do this?",
    404: "is the repository's name right, and may the token see it?",
}


class Connection:
    """Asks below ``/repos/owner/name``. ``token`` None: what is public.

    ``transport`` replaces the network. Raises UsageError for a ``repository`` that is none, and for
    an ``api`` to which a token must not go.
    """

    def __init__(
        self,
        repository: str,
        token: Secret | None,
        *,
        api: str = API,
        timeout: float = 20.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if not _REPOSITORY.fullmatch(repository):
            raise UsageError(f"{repository!r} is no repository", hint="write it as owner/name")
        host = urlsplit(api)
        safe = host.scheme == "https" or (
            host.scheme == "http" and is_loopback(host.hostname or "")
        )
        if not safe:
            raise UsageError(f"{api}: the token is not sent there", hint="an https address")
        self.repository = repository
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "truegreen",
        }
        if token is not None:
            headers["Authorization"] = f"Bearer {token.reveal()}"
        self._base = f"{api.rstrip('/')}/repos/{repository}"
        self._http = http_client(transport=transport, headers=headers, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """The JSON that GitHub answers. Raises PlatformUnreachable (network, 5xx), PlatformRefused
        (3xx, 4xx) and UnexpectedAnswer; all of them: could not find out."""
        try:
            reply = self._http.request(method, self._base + path, follow_redirects=False, **more)
        except httpx.HTTPError as error:
            raise PlatformUnreachable(f"GitHub gave no answer: {type(error).__name__}") from error
        if reply.status_code >= 500:
            raise PlatformUnreachable(f"GitHub answered {reply.status_code}")
        if not reply.is_success:
            raise PlatformRefused(
                f"GitHub answered {reply.status_code} to {method} {path} of {self.repository}",
                status=reply.status_code,
                hint=_HINTS.get(reply.status_code, ""),
            )
        kind = reply.headers.get("content-type", "")
        return parse_json(reply.content, what="GitHub", content_type=kind)

    def pages(self, path: str, query: dict[str, str], *, most: int, key: str = "") -> list[Any]:
        """Every entry of a list, at most ``most`` pages; ``key`` is where the list stands in the
        answer ("" : it is the answer). More pages than that are an error, never a short list."""
        found: list[Any] = []
        for page in range(1, most + 1):
            told = self.ask("GET", path, params={**query, "per_page": str(PAGE), "page": str(page)})
            entries = _entries(told, key)
            if not isinstance(entries, list):
                raise UnexpectedAnswer("GitHub", key, "is no list")
            found += entries
            if len(entries) < PAGE:
                return found
        raise UnexpectedAnswer("GitHub", key, f"has more than {PAGE * most} entries")


def _entries(told: Any, key: str) -> Any:
    if not key:
        return told
    return told.get(key) if isinstance(told, dict) else None
