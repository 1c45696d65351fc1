"""The Platform API v3 of the embedded platform: one resource a file, put together here.

Resources read the request, ask `Control`, and answer in Heroku's form; they decide nothing.
"""

from __future__ import annotations

import logging
import sqlite3

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from truegreen.embedded.api import (
    access,
    account,
    addons,
    apps,
    builds,
    config_vars,
    domains,
    dynos,
    faults,
    features,
    formation,
    git,
    log_sessions,
    output,
    own,
    releases,
    slugs,
    sources,
    webhooks,
)
from truegreen.embedded.api.auth import TokenRequired
from truegreen.embedded.api.fault_layer import FaultLayer
from truegreen.embedded.api.respond import ApiError, error_answer
from truegreen.embedded.control import Control
from truegreen.embedded.disk import is_full

_RESOURCES = (
    access, account, addons, apps, builds, config_vars, domains, dynos, faults, features, formation,
    git, log_sessions, output, own, releases, slugs, sources, webhooks,
)  # fmt: skip
_log = logging.getLogger(__name__)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error_answer(error)


async def _unknown(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return error_answer(ApiError(405, "bad_request", "The resource has no such method."))
    return error_answer(
        ApiError(error.status_code, "not_found", "The requested API endpoint was not found.")
    )


async def _not_stored(request: Request, error: Exception) -> Response:
    if not is_full(error):
        return await _broken(request, error)
    message = f"The platform's disk is full: {error}. Nothing was changed."
    return error_answer(ApiError(507, "insufficient_storage", message))


async def _broken(request: Request, error: Exception) -> Response:
    _log.error("%s %s", request.method, request.url.path, exc_info=error)
    return error_answer(
        ApiError(500, "internal_server_error", "The embedded platform failed: see its log.")
    )


def build_api(control: Control) -> ASGIApp:
    """The whole API as an ASGI app that acts on ``control``."""
    app = Starlette(
        routes=[route for resource in _RESOURCES for route in resource.ROUTES],
        exception_handlers={
            ApiError: _refused,
            HTTPException: _unknown,
            Exception: _broken,
            OSError: _not_stored,
            sqlite3.Error: _not_stored,
        },
    )
    app.state.control = control
    app.state.log_sessions = {}
    return FaultLayer(TokenRequired(app, control.access), control.faults)
