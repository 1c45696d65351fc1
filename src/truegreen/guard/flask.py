"""Puts the guard around a Flask application. Does not import Flask: it only wraps ``wsgi_app``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from truegreen.guard.policy import GuardPolicy
from truegreen.guard.wsgi import OriginGuard

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


class App(Protocol):
    """What is used of a ``flask.Flask``: its WSGI application is a method that may be replaced."""

    def wsgi_app(
        self, environ: WSGIEnvironment, start_response: StartResponse, /
    ) -> Iterable[bytes]: ...


def init_app(app: App, policy: GuardPolicy) -> OriginGuard:
    """Wraps ``app.wsgi_app``; call it last, so that the guard is outermost. Gives the guard back.

    ``app.test_client()`` goes through ``wsgi_app`` too: an in-process test of a service whose
    policy enforces must either send the secret header or pin the mode to ``off``. Raises GuardError
    for a policy that WSGI cannot keep.
    """
    guard = OriginGuard(app.wsgi_app, policy)
    # As Flask documents it for middleware; the function itself is called quicker than the guard.
    app.wsgi_app = guard.__call__  # type: ignore[method-assign]
    return guard
