"""The pages of the actions, and the one address that takes a form. Refuses before it acts.

An action is asked for on a page of its own that shows the command line. It is started when the
answer comes from that page (Origin), from this browser and for this command (the form), and with
the token of somebody who may.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from truegreen.board import reading
from truegreen.board.actions.forms import Forms
from truegreen.board.actions.offered import Action, of_app, of_service
from truegreen.board.actions.pages import action_document, list_document, run_document
from truegreen.board.actions.runs import Runs
from truegreen.board.actions.tokens import Tokens
from truegreen.board.annex import Annex, Link
from truegreen.board.sources import Sources
from truegreen.errors import Refused, TrueGreenError

COOKIE = "truegreen-visit"
LARGEST = 8192  # bytes of a form
PAUSE = 0.5  # seconds that a wrong token takes, one after the other
_FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class _No(Exception):
    """Nothing was started, and why."""

    status: int
    why: str


def actions_annex(sources: Sources, tokens: Tokens, runs: Runs | None = None) -> Annex:
    """The actions of ``sources``' board, for who has one of ``tokens``."""
    door = _Door(sources, tokens, runs or Runs(sources.where))
    routes = (
        Route("/actions", door.every),
        Route("/actions.json", door.every),
        Route("/actions/runs/{run}", door.run),
        Route("/actions/{name}", door.ask, methods=["GET"]),
        Route("/actions/{name}", door.answer, methods=["POST"]),
    )
    return Annex(routes, posts=("/actions/",), links=door.links)


class _Door:
    def __init__(self, sources: Sources, tokens: Tokens, runs: Runs) -> None:
        self._sources, self._tokens, self._runs = sources, tokens, runs
        self._forms = Forms()
        self._wrong = asyncio.Lock()

    def links(self, document: Mapping[str, Any]) -> list[Link]:
        """What a page of the board leads to; for a page that is about no app, the list."""
        if document.get("page") == "app":
            found = of_app(self._sources.config, document)
            return [Link(one.address, one.title) for one in found]
        return [Link("/actions", "Actions")]

    async def every(self, request: Request) -> Response:
        offered = of_service(self._sources.config)
        document = list_document(offered, self._runs.newest(), self._sources.now())
        return _answer(request, "actions", document, 200)

    async def run(self, request: Request) -> Response:
        found = self._runs.find(request.path_params["run"].removesuffix(".json"))
        if found is None:
            return _missing(request)
        document = await anyio.to_thread.run_sync(run_document, found, self._sources.now())
        return _answer(request, "action_run", document, 200)

    async def ask(self, request: Request) -> Response:
        """The page that shows what would run."""
        action = await self._action(request)
        return _missing(request) if action is None else self._asked(request, action, 200, "")

    async def answer(self, request: Request) -> Response:
        """The form of that page."""
        action = await self._action(request)
        if action is None:
            return _missing(request)
        try:
            given = await _form(request)
            if any(given.get(name) is None for name in ("form", "token")):
                raise _No(400, "the form is not whole")
            why = self._forms.use(given["form"], request.cookies.get(COOKIE, ""), action.command)
            if why:
                raise _No(403, why)
            by = self._tokens.who(given["token"])
            if by is None:
                async with self._wrong:
                    await asyncio.sleep(PAUSE)
                raise _No(403, "nobody has that token")
            run = await anyio.to_thread.run_sync(self._runs.start, action, by)
        except _No as no:
            return self._asked(request, action, no.status, no.why)
        except Refused as error:
            return self._asked(request, action, 429, f"{error.message}; {error.hint}")
        except TrueGreenError as error:
            return self._asked(request, action, 503, error.message)
        return RedirectResponse(f"/actions/runs/{run.id}", 303)

    async def _action(self, request: Request) -> Action | None:
        name, app = request.path_params["name"], request.query_params.get("app", "")
        config = self._sources.config
        if not app:
            return _named(of_service(config), name)
        page = await anyio.to_thread.run_sync(reading.one_app, self._sources, app, None)
        return _named(of_app(config, page), name) if isinstance(page, dict) else None

    def _asked(self, request: Request, action: Action, status: int, why: str) -> Response:
        visit = self._forms.visit(request.cookies.get(COOKIE, ""))
        document = action_document(action, why, self._sources.now())
        answer = _answer(
            request, "action", document, status, form=self._forms.make(visit, action.command)
        )
        answer.set_cookie(COOKIE, visit, path="/actions", httponly=True, samesite="strict")
        return answer


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form that came from a page of this board. Raises _No."""
    _check_origin(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        raise _No(415, "that is no form")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise _No(413, "the form is too large")
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=8)
    except ValueError as error:
        raise _No(400, "the form cannot be read") from error
    if any(len(values) != 1 for values in fields.values()):
        raise _No(400, "the form says a thing twice")
    return {name: values[0] for name, values in fields.items()}


def _check_origin(request: Request) -> None:
    """Raises _No unless the browser says that a page of this very address sent it. Behind a proxy
    that ends TLS the scheme is another one, so it is not looked at."""
    origins = request.headers.getlist("origin")
    parts = urlsplit(origins[0]) if len(origins) == 1 else None
    host = request.headers["host"].strip().lower()
    if parts is None or parts.scheme not in ("http", "https") or parts.netloc.lower() != host:
        raise _No(403, "it does not come from a page of this board")
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise _No(403, "the browser says that another site sent it")


def _named(actions: tuple[Action, ...], name: str) -> Action | None:
    return next((one for one in actions if one.name == name), None)


def _missing(request: Request) -> Response:
    told = {"page": "error", "verdict": "unverified", "hint": "",
            "sentence": "There is no such action here."}  # fmt: skip
    return _answer(request, "error", told, 404)


def _answer(
    request: Request, name: str, document: dict[str, Any], status: int, **more: Any
) -> Response:
    found: Response = request.app.state.answer(request, name, document, status, **more)
    return found
