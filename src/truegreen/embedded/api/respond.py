"""What every resource of the API shares: Heroku's error form, JSON in and out, finding the app.

No resource lives here. Error ids are Heroku's (devcenter: "Platform API Reference", Errors).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from truegreen.embedded.access import OPERATOR_EMAIL, User
from truegreen.embedded.control import Control
from truegreen.embedded.records import App

WHO = "truegreen.user"
"""The key of the ASGI scope under which `auth` puts who asks."""
USER = {"id": "00000000-0000-4000-8000-000000000001", "email": OPERATOR_EMAIL}


class ApiError(Exception):
    """Answered as ``{"id", "message"}`` with ``status``."""

    def __init__(
        self, status: int, error_id: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error_id = error_id
        self.message = message
        self.headers = headers or {}


def not_found(what: str) -> ApiError:
    return ApiError(404, "not_found", f"Couldn't find that {what}.")


def invalid(message: str) -> ApiError:
    return ApiError(422, "invalid_params", message)


def control(request: Request) -> Control:
    state: Control = request.app.state.control
    return state


def user(request: Request) -> User:
    """Who asks."""
    found: User = request.scope[WHO]
    return found


def app_of(request: Request) -> App:
    """The app that the path names, by name or id. Raises ApiError 404."""
    app = control(request).store.app(request.path_params["app"])
    if app is None:
        raise not_found("app")
    return app


async def body(request: Request) -> dict[str, Any]:
    """The request's JSON object; {} when there is none. Raises ApiError 400, 413."""
    limit = control(request).limits.body_bytes
    data = b""
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > limit:
                raise ApiError(413, "bad_request", f"The body is larger than {limit} bytes.")
    except ClientDisconnect:
        raise ApiError(400, "bad_request", "The body ended early.") from None
    if not data.strip():
        return {}
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise ApiError(400, "bad_request", "The body is not JSON.") from None
    if not isinstance(value, dict):
        raise ApiError(400, "bad_request", "The body is not a JSON object.")
    return value


def text_field(values: dict[str, Any], name: str) -> str | None:
    """A text or nothing. Raises ApiError 422 for anything else."""
    value = values.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid(f"{name} must be text.")
    return value


def answer(
    request: Request, value: Any, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """JSON with an ETag; 304 when the client has it already."""
    return answer_text(request, as_json(value), status, headers)


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def answer_text(
    request: Request, text: str, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """As `answer`; ``text`` is JSON already."""
    data = text.encode()
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    head = {"ETag": etag, "Cache-Control": "private, no-cache", **(headers or {})}
    if request.method == "GET" and status == 200:
        asked = request.headers.get("if-none-match", "")
        if etag in [part.strip().removeprefix("W/") for part in asked.split(",")]:
            return Response(status_code=304, headers=head)
    return Response(data, status, head, media_type="application/json")


def error_answer(error: ApiError) -> Response:
    data = json.dumps({"id": error.error_id, "message": error.message}).encode()
    return Response(data, error.status, error.headers, media_type="application/json")
