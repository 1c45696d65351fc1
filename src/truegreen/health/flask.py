"""Health in a Flask application. Does not import Flask: it only wraps ``wsgi_app``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from truegreen.health.report import Health
from truegreen.health.wsgi import HealthEndpoint

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


class _App(Protocol):
    wsgi_app: WSGIApplication


def init_app(app: _App, health: Health, path: str = "/health") -> HealthEndpoint:
    """Serves ``health`` at ``path``; call it before the guard's ``init_app``, which goes outside.

    No route, handler or hook of the application runs for it. Gives the endpoint back.
    """
    endpoint = HealthEndpoint(app.wsgi_app, health, path)
    app.wsgi_app = endpoint
    return endpoint
