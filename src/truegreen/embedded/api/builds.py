"""/apps/X/builds: start one from an uploaded source, info, list."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.api.ranges import BadRange, ListRange
from truegreen.embedded.api.respond import (
    USER,
    ApiError,
    answer,
    app_of,
    body,
    control,
    invalid,
    not_found,
    text_field,
)
from truegreen.embedded.api.sources import uploaded_name
from truegreen.embedded.control import Control
from truegreen.embedded.records import App, Build

BUILDPACK = "https://github.com/heroku/heroku-buildpack-python"  # that we stand for, not use


def build_json(state: Control, app: App, build: Build) -> dict[str, Any]:
    return {
        "app": {"id": app.id},
        "buildpacks": [{"name": "heroku/python", "url": BUILDPACK}],
        "created_at": build.created_at,
        "failure_reason": build.reason or None,
        "id": build.id,
        "output_stream_url": f"{state.urls.api}/streams/{build.stream}",
        "release": {"id": build.release_id} if build.release_id else None,
        "slug": {"id": build.slug_id} if build.slug_id else None,
        "source_blob": {
            "checksum": None,
            "version": build.source_version,
            "version_description": None,
        },
        "stack": "heroku-24",
        "status": str(build.status),
        "updated_at": build.updated_at,
        "user": USER,
    }


async def create(request: Request) -> Response:
    state, values, app = control(request), await body(request), app_of(request)
    blob = values.get("source_blob")
    if not isinstance(blob, dict) or not isinstance(blob.get("url"), str):
        raise invalid("source_blob.url is missing: the get_url that POST /sources gave.")
    name = uploaded_name(state, blob["url"])
    if name is None:
        raise invalid(
            "source_blob.url is no get_url of this platform (or older than an hour): "
            "POST /sources gives one; sources elsewhere are not fetched."
        )
    build = state.builds.create(
        app, state.sources.path(name), text_field(blob, "version"), text_field(blob, "checksum")
    )
    return answer(request, build_json(state, app, build), 201)


async def list_of_app(request: Request) -> Response:
    state, app = control(request), app_of(request)
    try:
        asked = ListRange.parse(request.headers.get("range", ""), ("id", "started_at"))
        field = "created_at" if asked.field == "started_at" else "id"
        builds = state.store.builds(app.id)
        if request.headers.get("range"):
            piece, headers, more = asked.cut(builds, lambda build: str(getattr(build, field)))
        else:
            piece, headers, more = builds, {}, False
    except BadRange as error:
        raise ApiError(416, "requested_range_not_satisfiable", str(error)) from None
    found = [build_json(state, app, build) for build in piece]
    return answer(request, found, 206 if more else 200, headers)


async def info(request: Request) -> Response:
    state, app = control(request), app_of(request)
    build = state.store.build(request.path_params["build"])
    if build is None or build.app_id != app.id:
        raise not_found("build")
    return answer(request, build_json(state, app, build))


ROUTES = [
    Route("/apps/{app}/builds", create, methods=["POST"]),
    Route("/apps/{app}/builds", list_of_app),
    Route("/apps/{app}/builds/{build}", info),
]
