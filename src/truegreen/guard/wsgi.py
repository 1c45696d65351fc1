"""The guard around a WSGI application: outermost, before anything of the application runs.

Knows WSGI's environ and nothing of frameworks. What is let in is ``policy``'s decision.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from truegreen.guard.policy import GuardPolicy

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

REFUSAL = b'{"error": "direct_origin_blocked"}'
_HEADERS = (
    ("Content-Type", "application/json"),
    ("Content-Length", str(len(REFUSAL))),
    ("Cache-Control", "no-store"),
)


class OriginGuard:
    """WSGI middleware: asks ``policy``, answers 403 or calls ``app``, strips the secret header.

    ``counts`` says how many requests got which reason since the start of this process.
    """

    def __init__(self, app: WSGIApplication, policy: GuardPolicy) -> None:
        self.app = app
        self.policy = policy
        self._keys = tuple(
            (name, "HTTP_" + name.upper().replace("-", "_")) for name in policy.headers
        )
        self._secret_key = self._keys[0][1]
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = {name: environ[key] for name, key in self._keys if key in environ}
        decision = self.policy.decide(environ.get("PATH_INFO", ""), headers)
        environ.pop(self._secret_key, None)
        with self._lock:
            self._counts[decision.reason] = self._counts.get(decision.reason, 0) + 1
        if decision.allowed:
            return self.app(environ, start_response)
        start_response("403 Forbidden", list(_HEADERS))
        return [b""] if environ.get("REQUEST_METHOD") == "HEAD" else [REFUSAL]

    @property
    def counts(self) -> Mapping[str, int]:
        """Requests by reason, a copy."""
        with self._lock:
            return MappingProxyType(dict(self._counts))
