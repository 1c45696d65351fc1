"""The API's answers under faults: an ASGI layer around the whole API.

It knows requests and answers only; which faults are in is `fault_effects.ActiveFaults`'. The
platform's own endpoints (``/truegreen/``) never fail by a fault: they are the way to take it out.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from fnmatch import fnmatchcase
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from truegreen.embedded import faults
from truegreen.embedded.api.respond import ApiError, error_answer
from truegreen.embedded.fault_effects import ActiveFaults

_OWN = "/truegreen/"
_TIME = re.compile(rb"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body>\n"


class BrokenOff(Exception):
    """Ends an answer in its middle: uvicorn closes a connection whose answer is not complete."""


class FaultLayer:
    def __init__(self, app: ASGIApp, active: ActiveFaults) -> None:
        self._app = app
        self._active = active

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        offset = sum(fault.offset for fault in self._active.of(faults.ClockOffset))
        if scope["type"] == "http":
            send = _dated(send, offset)
        if scope["type"] != "http" or scope["path"].startswith(_OWN):
            await self._app(scope, receive, send)
            return
        hits = self._active.hits(
            faults.ApiFault,
            lambda fault: (
                fault.method.upper() in ("*", scope["method"])
                and fnmatchcase(scope["path"], fault.path)
            ),
            lambda fault: fault.rate,
        )
        for fault in hits:
            if isinstance(fault, faults.Slow):
                await asyncio.sleep(fault.seconds)
            elif isinstance(fault, faults.NoAnswer):
                await _wait_for_the_client(receive, fault.seconds)
                await Response("Gateway Timeout\n", 504)(scope, receive, send)
                return
            elif (refusal := _refusal(fault)) is not None:
                await refusal(scope, receive, send)
                return
        for fault in hits:
            if isinstance(fault, faults.StreamCut):
                send = _cut(send, fault.size, broken=False)
            elif isinstance(fault, faults.StreamReset):
                send = _cut(send, fault.size, broken=True)
            elif isinstance(fault, faults.ConnectionReset):
                send = _cut(send, 1, broken=True)
            elif isinstance(fault, faults.Truncated):
                send = _changed(send, lambda data: data[: len(data) // 2])
            elif isinstance(fault, faults.WrongTypes):
                send = _changed(send, _wrong_types)
        if offset:
            send = _at_another_time(send, offset)
        with contextlib.suppress(BrokenOff):
            await self._app(scope, receive, send)


def _refusal(fault: faults.ApiFault) -> Response | None:
    match fault:
        case faults.RateLimited():
            headers = {"Retry-After": f"{fault.seconds:g}", "RateLimit-Remaining": "0"}
            return error_answer(
                ApiError(429, "rate_limit", "Your account reached the API rate limit.",
                         headers if fault.headers else {})
            )  # fmt: skip
        case faults.ServerError():
            return error_answer(
                ApiError(500, "internal_server_error", "Internal server error (a fault is in).")
            )
        case faults.BadGateway():
            return Response(_HTML, 502, media_type="text/html")
        case faults.StreamNotRegistered():
            return error_answer(ApiError(404, "not_found", "Channel is not registered."))
        case _:
            return None


async def _wait_for_the_client(receive: Receive, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        pass


def _cut(send: Send, size: int, *, broken: bool) -> Send:
    """Passes ``size`` bytes of the body, then ends it: properly, or by breaking off."""
    left, done = size, False

    async def cut(message: Message) -> None:
        nonlocal left, done
        if done:
            return
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if not broken:
                del headers["content-length"]
            await send(message)
            return
        piece = message.get("body", b"")
        more = message.get("more_body", False)
        if len(piece) < left or (len(piece) == left and more):
            left -= len(piece)
            await send(message)
            return
        done = True
        await send({**message, "body": piece[:left], "more_body": broken})
        if broken:
            raise BrokenOff

    return cut


def _changed(send: Send, change: Callable[[bytes], bytes]) -> Send:
    """Collects a JSON answer and sends what ``change`` makes of it, with the length of that."""
    start: Message = {}
    parts: list[bytes] = []
    passed = False  # it is no JSON: it goes through as it comes

    async def changed(message: Message) -> None:
        nonlocal start, passed
        if message["type"] == "http.response.start":
            start = message
            passed = "json" not in MutableHeaders(scope=start).get("content-type", "")
        if passed:
            await send(message)
            return
        if message["type"] == "http.response.start":
            return
        parts.append(message.get("body", b""))
        if message.get("more_body", False):
            return
        data = change(b"".join(parts))
        headers = MutableHeaders(scope=start)
        if "content-length" in headers:
            headers["content-length"] = str(len(data))
        await send(start)
        await send({"type": "http.response.body", "body": data})

    return changed


def _wrong_types(data: bytes) -> bytes:
    def wrong(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: wrong(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return {str(number): wrong(inner) for number, inner in enumerate(value)}
        if isinstance(value, str):
            return len(value)
        return str(value)

    try:
        return json.dumps(wrong(json.loads(data))).encode()
    except ValueError:
        return data


def _at_another_time(send: Send, offset: float) -> Send:
    delta = timedelta(seconds=offset)

    def moved(match: re.Match[bytes]) -> bytes:
        at = datetime.strptime(match[0].decode(), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        return (at + delta).strftime("%Y-%m-%dT%H:%M:%SZ").encode()

    return _changed(send, lambda data: _TIME.sub(moved, data))


def _dated(send: Send, offset: float) -> Send:
    """``Date``, which the server leaves to us."""

    async def dated(message: Message) -> None:
        if message["type"] == "http.response.start":
            told = datetime.now(UTC) + timedelta(seconds=offset)
            MutableHeaders(scope=message)["date"] = format_datetime(told, usegmt=True)
        await send(message)

    return dated
