"""/apps/X/features/runtime-dyno-metadata: whether dynos get HEROKU_RELEASE_VERSION and the like."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.api.respond import answer, app_of, body, control, invalid, not_found
from truegreen.embedded.records import App

METADATA = "runtime-dyno-metadata"


def feature_json(app: App) -> dict[str, Any]:
    return {
        "created_at": app.created_at,
        "description": "Dyno metadata in the environment",
        "doc_url": "",
        "enabled": app.dyno_metadata,
        "id": "00000000-0000-4000-8000-000000000005",
        "name": METADATA,
        "state": "public",
        "updated_at": app.updated_at,
    }


async def list_of_app(request: Request) -> Response:
    return answer(request, [feature_json(app_of(request))])


async def one(request: Request) -> Response:
    app = app_of(request)
    if request.path_params["feature"] != METADATA:
        raise not_found("feature")
    if request.method == "PATCH":
        enabled = (await body(request)).get("enabled")
        if not isinstance(enabled, bool):
            raise invalid("enabled must be true or false.")
        # from the next release on, as on Heroku: what runs keeps the environment that it has
        control(request).store.set_dyno_metadata(app.id, enabled)
    return answer(request, feature_json(app_of(request)))


ROUTES = [
    Route("/apps/{app}/features", list_of_app),
    Route("/apps/{app}/features/{feature}", one, methods=["GET", "PATCH"]),
]
