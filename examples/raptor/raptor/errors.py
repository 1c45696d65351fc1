"""How Raptor says no: every error is JSON with one stable word. No decisions are taken here."""

from __future__ import annotations

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

_WORDS = {
    400: "bad_request",
    401: "not_signed_in",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "not_json",
    500: "internal_error",
}


def init_app(app: Flask) -> None:
    """Errors as JSON, small bodies only, and no answer is kept by a cache in front."""
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024  # bytes; no route takes more than one small object
    app.register_error_handler(HTTPException, _as_json)
    app.after_request(_keep_nowhere)


def refuse(status: int, word: str, **detail: object) -> Response:
    """``{"error": word, …}`` with ``status``."""
    response = jsonify({"error": word, **detail})
    response.status_code = status
    return response


def _as_json(error: HTTPException) -> Response:
    status = error.code or 500
    response = refuse(status, _WORDS.get(status, error.name.lower().replace(" ", "_")))
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value  # WWW-Authenticate, Allow
    return response


def _keep_nowhere(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    return response
