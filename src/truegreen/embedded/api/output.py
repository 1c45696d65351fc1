"""Output streams over HTTP, live, resumed by ``Range``; no token, the URL is the secret.

What they hold, and how they are kept, is `embedded/streams.py`'s.
"""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from truegreen.embedded.api.respond import ApiError, control

_BYTES = re.compile(r"bytes=(\d{1,18})-")


async def read(request: Request) -> Response:
    """``Range: bytes=N-`` goes on at N (206); 416 when the stream has ended before N.

    Where output was dropped, Content-Range says where the answer really begins.
    """
    stream = control(request).streams.find(request.path_params["name"])
    if stream is None:
        raise ApiError(404, "not_found", "Channel is not registered.")
    match = _BYTES.fullmatch(request.headers.get("range", "").strip())
    asked = int(match[1]) if match else 0
    if asked and not stream.live and asked >= stream.total:
        raise ApiError(
            416,
            "requested_range_not_satisfiable",
            f"The stream has ended at {stream.total}.",
            {"Content-Range": f"bytes */{stream.total}"},
        )
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    begin = stream.seek(asked) if match and asked <= stream.total else asked
    if match:
        total = "*" if stream.live else str(stream.total)
        headers["Content-Range"] = f"bytes {begin}-{max(begin, stream.total - 1)}/{total}"
    return StreamingResponse(
        stream.follow(begin),
        206 if match else 200,
        headers,
        media_type="text/plain; charset=utf-8",
    )


ROUTES = [Route("/streams/{name}", read)]
