"""One small application in every framework that has an adapter, all under the same guard.

Each is made by a function, so that a server process imports only what it serves. The policy comes
from the environment, as a service's does. Every application answers any path with what reached it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from truegreen.guard import PROFILES, GuardPolicy, Ranges

HEALTH = "/health"
HEADER = "X-Origin-Secret"


def policy() -> GuardPolicy:
    mode = os.environ.get("GUARD_MODE", "enforce")
    checks = os.environ.get("GUARD_CHECKS", "secret").split()
    ranges = Ranges(os.environ.get("GUARD_NETWORKS", "").split()) if "ranges" in checks else None
    profile = PROFILES[os.environ.get("GUARD_PROFILE", "heroku")]
    return GuardPolicy.from_environ(
        os.environ, mode=mode, exempt={HEALTH}, checks=checks, ranges=ranges, profile=profile
    )


def told(path: str, names: Iterable[str]) -> str:
    """What the application says: that it was reached, and whether it saw the secret's header."""
    seen = any(HEADER.lower() in name.lower().replace("_", "-") for name in names)
    return json.dumps({"reached": path, "secret_seen": seen})


def wsgi() -> Callable[..., Any]:
    from truegreen.guard.wsgi import OriginGuard

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = told(environ["PATH_INFO"], environ).encode("utf-8")
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    return OriginGuard(app, policy())


def flask() -> Callable[..., Any]:
    from flask import Flask, Response, request

    from truegreen.guard.flask import init_app

    app = Flask(__name__)

    @app.before_request
    def first() -> Response:
        return Response(told(request.path, request.environ))

    init_app(app, policy())
    return app


def _django() -> None:
    import django
    from django.conf import settings
    from django.http import HttpRequest, HttpResponse
    from django.urls import re_path

    def view(request: HttpRequest) -> HttpResponse:
        names = [*request.META, *request.headers]
        scope = getattr(request, "scope", {"headers": []})
        names += [name.decode("latin-1") for name, _ in scope["headers"]]
        return HttpResponse(told(request.path_info, names))

    urls = type("urls", (), {"urlpatterns": [re_path(r"(?s)^.*\Z", view)]})
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=urls,
        MIDDLEWARE=os.environ.get("DJANGO_MIDDLEWARE", "").split(),
        SECRET_KEY="only-in-tests",
        TRUEGREEN_GUARD=policy(),
    )
    django.setup()


def django_wsgi() -> Callable[..., Any]:
    from django.core.wsgi import get_wsgi_application

    from truegreen.guard.wsgi import OriginGuard

    _django()
    return OriginGuard(get_wsgi_application(), policy())


def django_asgi() -> Callable[..., Any]:
    from django.core.asgi import get_asgi_application

    from truegreen.guard.asgi import OriginGuard

    _django()
    return OriginGuard(get_asgi_application(), policy())


def django_middleware_wsgi() -> Callable[..., Any]:
    from django.core.wsgi import get_wsgi_application

    os.environ["DJANGO_MIDDLEWARE"] = "truegreen.guard.django.OriginGuardMiddleware"
    _django()
    return get_wsgi_application()


def django_middleware_asgi() -> Callable[..., Any]:
    from django.core.asgi import get_asgi_application

    os.environ["DJANGO_MIDDLEWARE"] = "truegreen.guard.django.OriginGuardMiddleware"
    _django()
    return get_asgi_application()


def asgi() -> Callable[..., Any]:
    from truegreen.guard.asgi import OriginGuard

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            names = [name.decode("latin-1") for name, _ in scope["headers"]]
            await send({"type": "websocket.send", "text": told(scope["path"], names)})
            await send({"type": "websocket.close"})
            return
        body = told(scope["path"], [name.decode("latin-1") for name, _ in scope["headers"]])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body.encode()})

    return OriginGuard(app, policy())


def starlette() -> Callable[..., Any]:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route, WebSocketRoute
    from starlette.websockets import WebSocket

    from truegreen.guard.starlette import init_app

    class Anything:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            request = Request(scope)
            answer = PlainTextResponse(told(scope["path"], request.headers))
            await answer(scope, receive, send)

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(told(websocket.scope["path"], websocket.headers))
        await websocket.close()

    app = Starlette(routes=[WebSocketRoute("/{x:path}", socket), Route("/{x:path}", Anything())])
    init_app(app, policy())
    return app


def fastapi() -> Callable[..., Any]:
    from fastapi import FastAPI, Request, WebSocket
    from fastapi.responses import PlainTextResponse

    from truegreen.guard.starlette import init_app

    app = FastAPI()
    init_app(app, policy())  # before the routes: it must be outermost all the same

    @app.middleware("http")
    async def anything(request: Request, call_next: Any) -> PlainTextResponse:
        return PlainTextResponse(told(request.scope["path"], request.headers))

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(told(websocket.scope["path"], websocket.headers))
        await websocket.close()

    # FastAPI reads annotations, and finds none of what is imported in a function.
    socket.__annotations__["websocket"] = WebSocket
    app.websocket("/{x:path}")(socket)
    return app
