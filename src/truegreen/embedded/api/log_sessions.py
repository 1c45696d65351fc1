"""POST /apps/X/log-sessions, and the log that its ``logplex_url`` gives (no token)."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from truegreen.embedded.api.respond import ApiError, answer, app_of, body, control
from truegreen.embedded.control import log_stream
from truegreen.embedded.lines import LineSplitter
from truegreen.embedded.records import new_id, now

MOST_SESSIONS = 1000


@dataclass(frozen=True)
class LogSession:
    """What a client asked to see of an app's log."""

    stream: str
    dyno: str | None
    lines: int
    tail: bool


async def create(request: Request) -> Response:
    state, values, app = control(request), await body(request), app_of(request)
    asked = values.get("lines", 100)
    lines = asked if isinstance(asked, int) and 0 <= asked <= 1500 else 100
    dyno = values.get("dyno") or values.get("dyno_name")
    sessions: dict[str, LogSession] = request.app.state.log_sessions
    while len(sessions) >= MOST_SESSIONS:
        del sessions[next(iter(sessions))]
    name = secrets.token_urlsafe(32)
    sessions[name] = LogSession(
        log_stream(app.name), str(dyno) if dyno else None, lines, bool(values.get("tail"))
    )
    at = now()
    url = f"{state.urls.api}/log-streams/{name}"
    return answer(
        request,
        {"created_at": at, "id": new_id(), "logplex_url": url, "updated_at": at},
        201,
    )


async def read(request: Request) -> Response:
    session = request.app.state.log_sessions.get(request.path_params["name"])
    if session is None:
        raise ApiError(404, "not_found", "No such log session.")
    events = "text/event-stream" in request.headers.get("accept", "")
    return StreamingResponse(
        _lines(request, session, events),
        media_type="text/event-stream" if events else "text/plain; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )


async def _lines(request: Request, session: LogSession, events: bool) -> AsyncIterator[bytes]:
    if events:
        yield b"retry: 1\n\n"
    stream = control(request).streams.find(session.stream)
    if stream is None and session.tail:
        stream = control(request).streams.open(session.stream)
    if stream is None:
        return
    ready: list[str] = []
    splitter = LineSplitter(ready.append)
    async for data in stream.follow(stream.last_lines(session.lines), tail=session.tail):
        splitter.feed(data)
        for line in ready:
            if session.dyno is None or f"[{session.dyno}" in line.partition("]")[0]:
                yield (f"data: {line}\n\n" if events else f"{line}\n").encode()
        ready.clear()


ROUTES = [
    Route("/apps/{app}/log-sessions", create, methods=["POST"]),
    Route("/log-streams/{name}", read),
]
