"""The web application: routes, and for each page HTML or its JSON twin. Nothing is read or judged
here.

A page's twin stands at the same address: with ``Accept: application/json``, or with ``.json`` at
its end. Errors are pages too.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

import anyio.to_thread
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from truegreen.board import reading
from truegreen.board.annex import Annex, Link
from truegreen.board.doorway import LOOPBACK, Doorway
from truegreen.board.feed import Feed
from truegreen.board.queueing import line_of
from truegreen.board.sources import Sources
from truegreen.board.watching import watches
from truegreen.errors import TrueGreenError

Read = Callable[[Request], dict[str, Any] | reading.Elsewhere | None]
_LARGEST = 2**62  # of a record's number: what every database can compare


def make_app(
    sources: Sources, *, hosts: Iterable[str] = LOOPBACK, annexes: Sequence[Annex] = ()
) -> ASGIApp:
    """The board of ``sources``. ``hosts``: what the Host header may say, without a port."""
    return _Board(sources, annexes).app(tuple(hosts))


class _Board:
    def __init__(self, sources: Sources, annexes: Sequence[Annex]) -> None:
        self._sources = sources
        self._annexes = annexes
        self._style, self._script = _file("board.css"), _file("board.js")
        self._templates = Environment(
            loader=PackageLoader("truegreen.board"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.globals.update(
            style=self._style,
            script=self._script,
            service=sources.config.name,
            links=self._links,
        )

    def _links(self, document: Mapping[str, Any]) -> list[Link]:
        return [link for annex in self._annexes for link in annex.links(document)]

    def app(self, hosts: tuple[str, ...]) -> ASGIApp:
        annexes = self._annexes
        pages: tuple[tuple[str, str, Read], ...] = (
            ("/", "fleet", self._apps),
            ("/apps/{app:path}", "app", self._app),
            ("/shipping/{app:path}", "shipping", self._shipping),
            ("/releases/{number}", "release", self._release),
            ("/incidents", "incidents", lambda _: reading.incidents(self._sources)),
            ("/incidents/{name}", "incident", self._incident),
            ("/drills", "drills", lambda _: reading.drills(self._sources)),
            ("/watch", "watch", lambda _: watches(self._sources)),
            ("/queue", "queue", lambda _: line_of(self._sources)),
        )
        routes: list[BaseRoute] = [
            Route("/events", self._events),
            Route("/favicon.ico", _no_icon),
            *(route for annex in annexes for route in annex.routes),
        ]
        for path, name, read in pages:
            endpoint = self._page(name, read)
            routes.append(Route(path if path != "/" else "/index.json", endpoint))
            routes.append(Route(path, endpoint))
            if "{" not in path and path != "/":
                routes.append(Route(path + ".json", endpoint))
        web = Starlette(routes=routes, lifespan=self._living)
        web.state.answer = self._answer
        web.add_exception_handler(404, self._missing)
        posts = [path for annex in annexes for path in annex.posts]
        any_host = [path for annex in annexes for path in annex.any_host]
        return Doorway(
            web, hosts, style=self._style, script=self._script, posts=posts, any_host=any_host
        )

    @contextlib.asynccontextmanager
    async def _living(self, web: Starlette) -> AsyncIterator[None]:
        feed = web.state.feed = Feed(self._sources)
        task = asyncio.create_task(feed.run())
        try:
            async with contextlib.AsyncExitStack() as annexes:
                for annex in self._annexes:
                    if annex.living is not None:
                        await annexes.enter_async_context(annex.living())
                yield
        finally:
            feed.close()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            self._sources.close()

    def _page(self, name: str, read: Read) -> Callable[[Request], Any]:
        def answer(request: Request) -> Response:
            version = ""
            try:
                version = self._sources.version()
                document = read(request)
            except TrueGreenError as error:
                told = {"page": "error", "verdict": "unverified", "hint": error.hint,
                        "sentence": f"This could not be found out: {error.message}"}  # fmt: skip
                return self._answer(request, "error", told, 503)
            if document is None:
                return self._not_found(request)
            if isinstance(document, reading.Elsewhere):
                twin = ".json" if request.url.path.endswith(".json") else ""
                return RedirectResponse(document.address + twin, 303)
            return self._answer(request, name, document, 200, version)

        async def endpoint(request: Request) -> Response:
            return await anyio.to_thread.run_sync(answer, request)

        return endpoint

    def _answer(
        self,
        request: Request,
        name: str,
        document: dict[str, Any],
        status: int,
        version: str = "",
        **more: Any,
    ) -> Response:
        if _wants_json(request):
            text = json.dumps(document, ensure_ascii=False, indent=1)
            return Response(_encoded(text), status, media_type="application/json")
        page = self._templates.get_template(f"{name}.html").render(
            d=document, made_of=version, **more
        )
        return Response(_encoded(page), status, media_type="text/html; charset=utf-8")

    def _not_found(self, request: Request) -> Response:
        told = {"page": "error", "verdict": "unverified", "hint": "",
                "sentence": "There is no such page on this board."}  # fmt: skip
        return self._answer(request, "error", told, 404)

    async def _missing(self, request: Request, error: Exception) -> Response:
        return self._not_found(request)

    def _apps(self, request: Request) -> dict[str, Any]:
        page = _number(request.query_params.get("page", "1")) or 1
        return reading.apps(self._sources, request.query_params.get("app", "")[:200], page)

    def _app(self, request: Request) -> dict[str, Any] | reading.Elsewhere | None:
        before = _number(request.query_params.get("before", ""))
        return reading.one_app(self._sources, _plain(request, "app"), before)

    def _shipping(self, request: Request) -> dict[str, Any] | reading.Elsewhere | None:
        return reading.shipping(self._sources, _plain(request, "app"))

    def _release(self, request: Request) -> dict[str, Any] | None:
        number = _number(_plain(request, "number"))
        return None if number is None else reading.one_release(self._sources, number)

    def _incident(self, request: Request) -> dict[str, Any] | None:
        return reading.one_incident(self._sources, _plain(request, "name"))

    async def _events(self, request: Request) -> Response:
        feed: Feed = request.app.state.feed
        if feed.full:
            return PlainTextResponse("too many pages listen\n", 503, {"retry-after": "30"})
        return StreamingResponse(feed.listen(), media_type="text/event-stream")


async def _no_icon(_: Request) -> Response:
    return Response(status_code=204)


def _wants_json(request: Request) -> bool:
    if request.url.path.endswith(".json"):
        return True
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def _plain(request: Request, name: str) -> str:
    value: str = request.path_params[name]
    return value.removesuffix(".json")


def _number(text: str) -> int | None:
    """A number as addresses have it; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        return None
    return min(int(text), _LARGEST)


def _encoded(text: str) -> bytes:
    """A lone surrogate, which JSON may hold and UTF-8 may not, is shown as a question mark."""
    return text.encode("utf-8", "replace")


def _file(name: str) -> str:
    return resources.files("truegreen.board").joinpath("templates", name).read_text("utf-8")
