"""The guard as Django middleware, for WSGI and ASGI, and for Django's test client.

Middleware sees HTTP only, and so does Django; with Channels, whose WebSockets pass Django by, wrap
the ``ProtocolTypeRouter`` in ``guard.asgi.OriginGuard`` instead.

It must be the first of MIDDLEWARE, and takes its policy from the setting TRUEGREEN_GUARD. Whoever
wants it outside of Django altogether wraps ``application`` in wsgi.py or asgi.py instead, with
``guard.wsgi.OriginGuard`` or ``guard.asgi.OriginGuard``. Only this module imports Django.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings  # type: ignore[import-untyped]  # Django ships no types
from django.http import HttpRequest, HttpResponse  # type: ignore[import-untyped]

from truegreen.guard.client import CLIENT
from truegreen.guard.policy import GuardPolicy
from truegreen.guard.profiles import GuardError
from truegreen.guard.wsgi import REFUSAL_HEADERS, OriginGuard
from truegreen.headers import environ_key, joined, without

_ADMITTED: list[bytes] = []


class OriginGuardMiddleware:
    """Asks ``settings.TRUEGREEN_GUARD``, a GuardPolicy; sync and async.

    Raises GuardError when Django loads it (so at start) and the setting is missing, or something
    stands before it in MIDDLEWARE.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        policy = getattr(settings, "TRUEGREEN_GUARD", None)
        if not isinstance(policy, GuardPolicy):
            raise GuardError(
                "origin guard: settings.TRUEGREEN_GUARD is no GuardPolicy",
                hint='TRUEGREEN_GUARD = GuardPolicy.from_environ(os.environ, mode="report")',
            )
        name = f"{__name__}.{type(self).__qualname__}"
        if type(self) is OriginGuardMiddleware and settings.MIDDLEWARE[:1] != [name]:
            raise GuardError(f"origin guard: {name} is not the first of settings.MIDDLEWARE")
        self._get_response = get_response
        self._async = iscoroutinefunction(get_response)
        if self._async:
            markcoroutinefunction(self)
        self._policy = policy
        self._guard = OriginGuard(_admit, policy)

    def __call__(self, request: HttpRequest) -> Any:
        if self._async:
            return self._later(request)
        refusal = self._refusal(request)
        return self._get_response(request) if refusal is None else refusal

    async def _later(self, request: HttpRequest) -> Any:
        refusal = self._refusal(request)
        return await self._get_response(request) if refusal is None else refusal

    def _refusal(self, request: HttpRequest) -> HttpResponse | None:
        """The answer to a request that is not let in."""
        scope = getattr(request, "scope", None)
        facts = request.META if scope is None else self._environ(scope)
        said: Iterable[bytes] = self._guard(facts, _nothing_written)
        if scope is not None:
            request.META.pop(environ_key(self._policy.header), None)
            scope["headers"] = without(scope["headers"], self._policy.header.lower().encode())
            if CLIENT in facts:
                request.META[CLIENT] = facts[CLIENT]
        if said is _ADMITTED:
            return None
        return HttpResponse(b"".join(said), status=403, headers=dict(REFUSAL_HEADERS))

    def _environ(self, scope: Mapping[str, Any]) -> dict[str, Any]:
        """Of ASGI's own lines, what the policy looks at: in META lines of one name are joined, and
        in older Djangos also those of a name with ``_`` to those of the one with ``-``."""
        client = scope.get("client") or ("",)
        environ = {"PATH_INFO": scope["path"], "REMOTE_ADDR": client[0]}
        environ["REQUEST_METHOD"] = scope["method"]
        for name in self._policy.headers:
            if (value := joined(scope["headers"], name.encode())) is not None:
                environ[environ_key(name)] = value
        return environ


def _admit(_environ: object, _start_response: object) -> list[bytes]:
    """In the place of WSGI's application: Django goes on by itself."""
    return _ADMITTED


def _nothing_written(status: str, headers: object, exc_info: object = None, /) -> Any:
    """WSGI's start_response, for an answer that Django sends."""
