"""Puts the guard around a Starlette or FastAPI application. Imports neither of them.

``app.add_middleware`` would put it inside of whatever is added later, and of the error handler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from truegreen.guard.asgi import OriginGuard
from truegreen.guard.policy import GuardPolicy
from truegreen.guard.profiles import GuardError

if TYPE_CHECKING:
    from truegreen.guard.asgi import ASGIApplication


class App(Protocol):
    """What is used of a ``starlette.applications.Starlette`` (``fastapi.FastAPI`` is one)."""

    def build_middleware_stack(self) -> ASGIApplication: ...


def init_app(app: App, policy: GuardPolicy) -> None:
    """Makes the guard the outermost layer of ``app``, whatever is added before or after.

    ``TestClient(app)`` goes through it too. Raises GuardError when ``app`` has been started: its
    layers are in use then.
    """
    if getattr(app, "middleware_stack", None) is not None:
        raise GuardError(
            "origin guard: the application has been started already",
            hint="call init_app where the application is made",
        )
    build = app.build_middleware_stack

    def guarded() -> ASGIApplication:
        return OriginGuard(build(), policy).__call__  # the function itself is called quicker

    app.build_middleware_stack = guarded  # type: ignore[method-assign]  # public, and called once
