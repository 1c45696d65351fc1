"""Who asks: a token as ``Bearer`` or as a Basic password. What he may do is `access`'s to say.

The unguessable URLs of sources, output, logs and pushes need no token, as on Heroku.
"""

from __future__ import annotations

import base64
import binascii
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from truegreen.embedded.access import Access, User
from truegreen.embedded.api.respond import WHO, ApiError, error_answer

OPEN_PREFIXES = ("/streams/", "/log-streams/", "/source-files/", "/git-pushes/")
REALM = {"WWW-Authenticate": 'Basic realm="TrueGreen embedded platform"'}


class TokenRequired:
    """ASGI middleware around the whole API; also stamps each answer with a ``Request-Id``."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

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
        user = self._user(Headers(scope=scope))
        if path.startswith(OPEN_PREFIXES):
            await self._app(scope, receive, stamped)
        elif user is None:
            refusal = ApiError(401, "unauthorized", "Invalid credentials provided.", REALM)
            await error_answer(refusal)(scope, receive, stamped)
        elif not self._access.may(user, scope["method"], path):
            refusal = ApiError(403, "forbidden", "You do not have access to that.")
            await error_answer(refusal)(scope, receive, stamped)
        else:
            await self._app({**scope, WHO: user}, receive, stamped)

    def _user(self, headers: Headers) -> User | None:
        scheme, _, value = headers.get("authorization", "").partition(" ")
        given = value.strip().encode("latin-1")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).partition(b":")[2]
            except (binascii.Error, ValueError):
                return None
        elif scheme.lower() != "bearer":
            return None
        return self._access.user_of(given)
