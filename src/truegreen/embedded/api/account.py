"""GET /account, GET /account/rate-limits."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.api.respond import USER, answer


async def info(request: Request) -> Response:
    return answer(
        request,
        {
            **USER,
            "name": "operator",
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


ROUTES = [Route("/account", info), Route("/account/rate-limits", rate_limits)]
