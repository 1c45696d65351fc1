"""The guard as Django middleware, for WSGI and ASGI, and for Django's test client.

Middleware sees HTTP only, and so does Django; with Channels, whose WebSockets pass Django by, wrap
the ``ProtocolTypeRouter`` in ``guard.asgi.OriginGuard`` instead.

It must be the first of MIDDLEWARE, and takes its policy from the setting TRUEGREEN_GUARD. Whoever
wants it outside of Django altogether wraps ``application`` in wsgi.py or asgi.py instead, with
``guard.wsgi.OriginGuard`` or ``guard.asgi.OriginGuard``. Only this module imports Django.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings  # type: ignore[import-untyped]  # Django ships no types
from django.http import HttpRequest, HttpResponse  # type: ignore[import-untyped]

from truegreen.guard.policy import GuardPolicy
from truegreen.guard.profiles import GuardError
from truegreen.guard.wsgi import REFUSAL_HEADERS, OriginGuard
from truegreen.headers import without

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
        self._header = policy.header.lower().encode()
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
        """The answer to a request that is not let in. META is WSGI's environ, under ASGI too."""
        said: Iterable[bytes] = self._guard(request.META, _nothing_written)
        scope = getattr(request, "scope", None)
        if scope is not None:
            scope["headers"] = without(scope["headers"], self._header)
        if said is _ADMITTED:
            return None
        return HttpResponse(b"".join(said), status=403, headers=dict(REFUSAL_HEADERS))


def _admit(_environ: object, _start_response: object) -> list[bytes]:
    """In the place of WSGI's application: Django goes on by itself."""
    return _ADMITTED


def _nothing_written(status: str, headers: object, exc_info: object = None, /) -> Any:
    """WSGI's start_response, for an answer that Django sends."""
