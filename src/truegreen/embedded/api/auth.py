"""Who may ask: the platform's token as ``Bearer`` or as a Basic password, compared in constant
time. The unguessable URLs of sources, output and logs need none, as on Heroku."""

from __future__ import annotations

import base64
import binascii
import hmac
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from truegreen.embedded.api.respond import ApiError, error_answer
from truegreen.secret import Secret

OPEN_PREFIXES = ("/streams/", "/log-streams/", "/source-files/", "/git-pushes/")
REALM = {"WWW-Authenticate": 'Basic realm="TrueGreen embedded platform"'}


class TokenRequired:
    """ASGI middleware around the whole API; also stamps each answer with a ``Request-Id``."""

    def __init__(self, app: ASGIApp, token: Secret) -> None:
        self._app = app
        self._token = token.reveal().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Request-Id"] = request_id
                headers["RateLimit-Remaining"] = "4500"
            await send(message)

        request_id = str(uuid.uuid4())
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if path.startswith(OPEN_PREFIXES) or self._known(Headers(scope=scope)):
            await self._app(scope, receive, stamped)
        else:
            refusal = ApiError(401, "unauthorized", "Invalid credentials provided.", REALM)
            await error_answer(refusal)(scope, receive, stamped)

    def _known(self, headers: Headers) -> bool:
        scheme, _, value = headers.get("authorization", "").partition(" ")
        given = value.strip().encode("latin-1")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).partition(b":")[2]
            except (binascii.Error, ValueError):
                return False
        elif scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given, self._token)
