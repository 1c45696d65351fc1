"""GET /account, GET /account/rate-limits."""

from __future__ import annotations

import uuid

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.api.respond import USER, answer, user


async def info(request: Request) -> Response:
    who = user(request)
    return answer(
        request,
        {
            "id": USER["id"] if who.operator else str(uuid.uuid5(uuid.NAMESPACE_URL, who.email)),
            "email": who.email,
            "name": who.email.partition("@")[0],
            "verified": True,
            "beta": False,
            "allow_tracking": False,
            "two_factor_authentication": False,
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z",
        },
    )


async def rate_limits(request: Request) -> Response:
    return answer(request, {"remaining": 4500})


async def features(request: Request) -> Response:
    return answer(request, [])


ROUTES = [
    Route("/account", info),
    Route("/account/features", features),
    Route("/account/rate-limits", rate_limits),
]
