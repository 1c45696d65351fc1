"""POST /sources, and the upload that its ``put_url`` takes (no token: the URL is the secret)."""

from __future__ import annotations

import asyncio
import re

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from truegreen.embedded.api.respond import ApiError, answer, control, not_found
from truegreen.embedded.control import Control
from truegreen.embedded.streams import NAME

_ISSUED: re.Pattern[str] = re.compile(r"/source-files/([A-Za-z0-9_-]{1,100})")


async def create(request: Request) -> Response:
    state = control(request)
    name = state.sources.new_name()
    state.sources.path(name).touch(mode=0o600)
    url = f"{state.urls.api}/source-files/{name}"
    return answer(request, {"source_blob": {"get_url": url, "put_url": url}}, 201)


def uploaded_name(state: Control, url: str) -> str | None:
    """The name of the source that ``url`` is the get_url of; None for any other URL."""
    match = _ISSUED.fullmatch(url.removeprefix(state.urls.api).partition("?")[0])
    return match[1] if match and state.sources.path(match[1]).is_file() else None


def _name(request: Request) -> str:
    name: str = request.path_params["name"]
    if not NAME.fullmatch(name) or not control(request).sources.path(name).is_file():
        raise not_found("source")
    return name


async def upload(request: Request) -> Response:
    state, name = control(request), _name(request)
    limit = state.limits.upload_bytes
    target = state.sources.path(name)
    partial = target.with_suffix(".part")
    size = 0
    too_large = ApiError(413, "bad_request", f"The source is larger than {limit} bytes.")
    try:
        with partial.open("wb") as file:
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise too_large
                await asyncio.to_thread(file.write, chunk)
    except ClientDisconnect:
        raise ApiError(400, "bad_request", "The upload ended early.") from None
    else:
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return Response(status_code=200)


async def download(request: Request) -> Response:
    return FileResponse(
        control(request).sources.path(_name(request)), media_type="application/gzip"
    )


ROUTES = [
    Route("/sources", create, methods=["POST"]),
    Route("/apps/{app}/sources", create, methods=["POST"]),
    Route("/source-files/{name}", upload, methods=["PUT"]),
    Route("/source-files/{name}", download),
]
