"""/NAME.git: git's smart HTTP of an app's repository; and the door by which its hook comes in.

The token is the password (any user name), as with Heroku. The hook has no token: the unguessable
name of its push opens what it may do, for as long as the push lasts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from truegreen.embedded.api.respond import ApiError, app_of, control, invalid, not_found
from truegreen.embedded.control import Control
from truegreen.embedded.git_cgi import GitFailed
from truegreen.embedded.git_hook import PATH as HOOK_PATH
from truegreen.embedded.git_repos import SERVICES
from truegreen.embedded.records import App
from truegreen.errors import UsageError


class _Git(Response):
    """git's own answer, passed on as it comes."""

    def __init__(self, state: Control, app: App, rest: str) -> None:
        super().__init__()
        self._state = state
        self._app = app
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        headers = {name.lower(): value for name, value in request.headers.items()}
        begun = False
        try:
            async with self._state.git.request(
                self._app, self._rest, request.method, request.url.query, headers, _body(receive)
            ) as answer:
                raw = [(n.lower().encode(), v.encode("latin-1")) for n, v in answer.headers]
                await send({"type": "http.response.start", "status": answer.status, "headers": raw})
                begun = True
                async for piece in answer.body:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        except (UsageError, GitFailed) as error:
            if begun:
                raise
            raise ApiError(503, "service_unavailable", str(error)) from error
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    """The request's body, an empty piece as its end; raises when the client goes away."""
    more = True
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        if more:
            if piece := message.get("body", b""):
                yield piece
            more = message.get("more_body", False)
            if not more:
                yield b""


async def repository(request: Request) -> Response:
    rest: str = request.path_params["rest"]
    if request.method == "GET":
        if rest != "info/refs" or request.query_params.get("service") not in SERVICES:
            raise not_found("part of a repository: only git's smart protocol is spoken here")
    elif rest not in SERVICES:
        raise not_found("git service")
    return _Git(control(request), app_of(request), rest)


async def push(request: Request) -> Response:
    """From the hook: build what it has archived; answers line by line (`git_push.GitPushes`)."""
    git, key = control(request).git, request.path_params["key"]
    if not git.known(key):
        raise not_found("push")
    commit = request.query_params.get("commit", "")
    if not commit.isalnum():
        raise invalid("commit is missing.")
    return StreamingResponse(git.build(key, commit), media_type="application/octet-stream")


ROUTES = [
    Route(HOOK_PATH + "{key}", push, methods=["POST"]),
    Route("/{app}.git/{rest:path}", repository, methods=["GET", "POST"]),
]
