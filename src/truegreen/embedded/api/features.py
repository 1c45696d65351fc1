"""/apps/X/features: runtime-dyno-metadata (do dynos get HEROKU_RELEASE_VERSION and the like), and
preboot (do the old web dynos serve on for a while, unlisted, after a release)."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.access import OPERATOR_EMAIL
from truegreen.embedded.api.respond import answer, app_of, body, control, invalid, not_found
from truegreen.embedded.control import Control
from truegreen.embedded.records import App

METADATA = "runtime-dyno-metadata"
PREBOOT = "preboot"
_WHAT = {
    METADATA: ("00000000-0000-4000-8000-000000000005", "Dyno metadata in the environment"),
    PREBOOT: ("00000000-0000-4000-8000-000000000006", "Old web dynos serve on for 3 minutes"),
}


def feature_json(state: Control, app: App, name: str) -> dict[str, Any]:
    feature_id, description = _WHAT[name]
    return {
        "created_at": app.created_at,
        "description": description,
        "display_name": name,
        "doc_url": "",
        "enabled": app.dyno_metadata if name == METADATA else state.store.preboot(app.id),
        "feedback_email": OPERATOR_EMAIL,
        "id": feature_id,
        "name": name,
        "state": "public",
        "updated_at": app.updated_at,
    }


async def list_of_app(request: Request) -> Response:
    state, app = control(request), app_of(request)
    return answer(request, [feature_json(state, app, name) for name in _WHAT])


async def one(request: Request) -> Response:
    state, app, name = control(request), app_of(request), request.path_params["feature"]
    if name not in _WHAT:
        raise not_found("feature")
    if request.method == "PATCH":
        enabled = (await body(request)).get("enabled")
        if not isinstance(enabled, bool):
            raise invalid("enabled must be true or false.")
        # from the next release on, as on Heroku: what runs keeps the environment that it has
        if name == METADATA:
            state.store.set_dyno_metadata(app.id, enabled)
        else:
            state.store.set_preboot(app.id, enabled)
    return answer(request, feature_json(state, app_of(request), name))


ROUTES = [
    Route("/apps/{app}/features", list_of_app),
    Route("/apps/{app}/features/{feature}", one, methods=["GET", "PATCH"]),
]
