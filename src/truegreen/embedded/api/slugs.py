"""/apps/X/slugs/ID: what a build made."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.api.apps import STACK
from truegreen.embedded.api.respond import answer, app_of, control, not_found


async def info(request: Request) -> Response:
    state, app = control(request), app_of(request)
    slug = state.store.slug(request.path_params["slug"])
    if slug is None or slug.app_id != app.id:
        raise not_found("slug")
    return answer(
        request,
        {
            "blob": {"method": "GET"},  # no url: slugs are not handed out
            "buildpack_provided_description": "Python",
            "checksum": slug.checksum,
            "commit": slug.commit,
            "commit_description": None,
            "created_at": slug.created_at,
            "id": slug.id,
            "process_types": dict(slug.process_types),
            "size": slug.size,
            "stack": STACK,
            "updated_at": slug.created_at,
        },
    )


ROUTES = [Route("/apps/{app}/slugs/{slug}", info)]
