"""Puts the guard around a Flask application. Does not import Flask: it only wraps ``wsgi_app``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from truegreen.guard.policy import GuardPolicy
from truegreen.guard.wsgi import OriginGuard

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


class _App(Protocol):
    wsgi_app: WSGIApplication


def init_app(app: _App, policy: GuardPolicy) -> OriginGuard:
    """Wraps ``app.wsgi_app``; call it last, so that the guard is outermost. Gives the guard back.

    ``app.test_client()`` goes through ``wsgi_app`` too: an in-process test of a service whose
    policy enforces must either send the secret header or pin the mode to ``off``.
    """
    guard = OriginGuard(app.wsgi_app, policy)
    app.wsgi_app = guard
    return guard
