"""Calls a WSGI or an ASGI application in this process, the way that servers do.

WSGI: header lines of one name are joined with a comma and names with an underscore are dropped, as
gunicorn and waitress do; or believed, as others do. ASGI: every line stays, as in uvicorn. What an
attack is, and what its answer means, is not known here.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable, Iterable, MutableMapping
from contextlib import suppress
from types import TracebackType
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from truegreen.errors import Unverified
from truegreen.guard.attacks import Header
from truegreen.guard.selftest.exchange import Answer, Request
from truegreen.headers import environ_key

LONGEST = 30.0
AsgiApp = Callable[[Any, Any, Any], Any]


class WsgiDriver:
    """Sends to a WSGI application. A WebSocket request arrives as the GET that it is."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def send(self, request: Request) -> Answer:
        told: list[tuple[str, list[tuple[str, str]]]] = []
        body = bytearray()

        def start_response(
            status: str, headers: list[tuple[str, str]], _exc_info: Any = None, /
        ) -> Callable[[bytes], Any]:
            told.append((status, headers))
            return body.extend

        try:
            environ = wsgi_environ(request, credulous=request.credulous)
            result = self._app(environ, start_response)
            try:
                for chunk in result:
                    body += chunk
            finally:
                close = getattr(result, "close", None)
                if close is not None:
                    close()
            status, headers = told[-1]
            lowered = tuple((name.lower(), value) for name, value in headers)
            return Answer(int(status.split(" ", 1)[0]), lowered, bytes(body))
        except Exception as error:  # noqa: BLE001 - whatever the app does is its answer
            return Answer(0, error=f"the app raised {type(error).__name__}")


def wsgi_environ(request: Request, *, credulous: bool = False) -> dict[str, Any]:
    """PEP 3333's environ, as gunicorn makes it.

    ``credulous``: as the worst of servers: ``_`` in a name is a ``-``, such a line comes last and
    overrides the others, and a header SCRIPT_NAME says where the application is mounted.
    """
    path, _, query = request.target.partition(b"?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "RAW_URI": request.target.decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.peer,
        "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in sorted(request.headers, key=_underscored):  # stable
        if b"_" in raw_name and not credulous:
            continue
        key = environ_key(raw_name.decode("latin-1"))
        if key in ("HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE"):
            key = key.removeprefix("HTTP_")
        value = raw_value.decode("latin-1").strip(" \t")
        if key in environ and not _underscored((raw_name, b"")):
            value = f"{environ[key]},{value}"
        environ[key] = value
    if credulous and (script := environ.get("HTTP_SCRIPT_NAME")):
        environ["SCRIPT_NAME"] = script
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(script)
    return environ


def _underscored(line: Header) -> bool:
    return b"_" in line[0]


class AsgiDriver:
    """Sends to an ASGI application, between its startup and its shutdown. A context manager.

    ``longest``: seconds that it may take for one request, to start or to stop.
    Raises Unverified on entering when the application says that its startup failed; one that knows
    no lifespan (raises) is taken as it is.
    """

    def __init__(self, app: AsgiApp, *, longest: float = LONGEST) -> None:
        self._app = app
        self._longest = longest
        self._runner = asyncio.Runner()
        self._life: asyncio.Task[None] | None = None
        self._state: dict[str, Any] = {}
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()

    def __enter__(self) -> AsgiDriver:
        try:
            self._runner.run(self._start())
        except BaseException:
            self._runner.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._runner.run(self._stop())
        finally:
            self._runner.close()

    async def _start(self) -> None:
        scope = {"type": "lifespan", "asgi": _ASGI, "state": self._state}
        call = self._app(scope, self._to_app.get, self._from_app.put)
        self._life = asyncio.ensure_future(call)
        await self._to_app.put({"type": "lifespan.startup"})
        told = await self._life_says()
        if told is not None and told["type"] == "lifespan.startup.failed":
            raise Unverified(f"the app's startup failed: {told.get('message') or 'no reason'}")

    async def _stop(self) -> None:
        if self._life is None or self._life.done():
            return
        await self._to_app.put({"type": "lifespan.shutdown"})
        await self._life_says()
        self._life.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await self._life

    async def _life_says(self) -> MutableMapping[str, Any] | None:
        """The next lifespan message; None when the app ended or raised without one."""
        assert self._life is not None
        saying = asyncio.ensure_future(self._from_app.get())
        await asyncio.wait(
            {saying, self._life}, timeout=self._longest, return_when=asyncio.FIRST_COMPLETED
        )
        if saying.done():
            return saying.result()
        saying.cancel()
        if not self._life.done():
            self._life.cancel()
            raise Unverified(f"the app did not start or stop within {self._longest:g} s")
        with suppress(Exception):
            self._life.result()
        return None

    def send(self, request: Request) -> Answer:
        return self._runner.run(self._send(request))

    async def _send(self, request: Request) -> Answer:
        sent: list[MutableMapping[str, Any]] = []
        kind = "websocket.connect" if request.websocket else "http.request"
        waiting: list[dict[str, Any]] = [{"type": kind}]
        answered = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop()
            await answered.wait()  # a client that waits for its answer; Django listens meanwhile
            if request.websocket:
                return {"type": "websocket.disconnect", "code": 1001}
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)
            last = message["type"].endswith((".accept", ".close", ".body"))
            if last and not message.get("more_body"):
                answered.set()

        scope = asgi_scope(request) | {"state": dict(self._state)}
        try:
            async with asyncio.timeout(self._longest):
                await self._app(scope, receive, send)
        except TimeoutError:
            if not sent:
                return Answer(0, error=f"no answer within {self._longest:g} s", timed_out=True)
        except Exception as error:  # noqa: BLE001 - whatever the app does is its answer
            if not sent:
                return Answer(0, error=f"the app raised {type(error).__name__}")
        return _answer(sent)


_ASGI = {"version": "3.0", "spec_version": "2.4"}


def asgi_scope(request: Request) -> dict[str, Any]:
    """The http or websocket scope, as uvicorn makes it."""
    path, _, query = request.target.partition(b"?")
    scope: dict[str, Any] = {
        "type": "websocket" if request.websocket else "http",
        "asgi": _ASGI,
        "http_version": "1.1",
        "scheme": "ws" if request.websocket else "http",
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"localhost")]
        + [(name.lower(), value.strip(b" \t")) for name, value in request.headers],
        "client": (request.peer, 40000),
        "server": ("127.0.0.1", 80),
    }
    if request.websocket:
        scope |= {"subprotocols": [], "extensions": {"websocket.http.response": {}}}
    else:
        scope["method"] = request.method
    return scope


def _answer(sent: list[MutableMapping[str, Any]]) -> Answer:
    """A close before the accept is a 403 (ASGI's WebSocket specification); an accept is a 101."""
    status, headers, body = 0, [], b""
    for message in sent:
        kind = message["type"].removeprefix("websocket.")
        if kind == "accept":
            return Answer(101)
        if kind == "close":
            return Answer(403)
        if kind == "http.response.start":
            status, headers = message["status"], list(message.get("headers", ()))
        elif kind == "http.response.body":
            body += message.get("body", b"")
    lowered = tuple((k.decode("latin-1").lower(), v.decode("latin-1")) for k, v in headers)
    return Answer(status, lowered, body, "" if status else "the app gave no answer")
