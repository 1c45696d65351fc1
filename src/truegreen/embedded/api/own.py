"""What Heroku does not have: /truegreen/status and /truegreen/settings of the platform itself."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.api.respond import answer, body, control, invalid
from truegreen.errors import UsageError


async def status(request: Request) -> Response:
    return answer(request, control(request).status())


async def settings(request: Request) -> Response:
    state = control(request)
    if request.method == "PATCH":
        values = await body(request)
        try:
            state.settings.change({name: str(value) for name, value in values.items()})
            await state.slug_cache.prune()
        except UsageError as error:
            raise invalid(str(error)) from None
    return answer(request, state.settings().as_text())


ROUTES = [
    Route("/truegreen/status", status),
    Route("/truegreen/settings", settings, methods=["GET", "PATCH"]),
]
