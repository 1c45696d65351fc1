"""Health over WSGI, ASGI and Flask: the same answers from each."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from truegreen.guard import GuardPolicy
from truegreen.guard.flask import init_app as guard_app
from truegreen.health import Health, SchemaState, asgi, wsgi
from truegreen.health.flask import init_app
from truegreen.secret import Secret

TOKEN = "0123456789abcdef"
Answer = tuple[int, dict[str, str], bytes]
Ask = Callable[..., Answer]
threads: list[str] = []


def schema() -> SchemaState:
    threads.append(threading.current_thread().name)
    return SchemaState("0046", ("0046",))


def make_health(read: Callable[[], SchemaState] = schema) -> Health:
    return Health("raptor", {"HEROKU_SLUG_COMMIT": "c0ffee", "HEALTH_TOKEN": TOKEN}, schema=read)


def ask_wsgi(health: Health, path: str, method: str, headers: list[tuple[str, str]]) -> Answer:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("204 No Content", [])
        return [b""]

    started: list[Any] = []
    environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "SCRIPT_NAME": ""}
    for name, value in headers:
        key = "HTTP_" + name.upper().replace("-", "_")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    body = wsgi.HealthEndpoint(app, health)(environ, lambda *told: started.append(told))
    ((status, lines),) = started
    return int(status[:3]), dict(lines), b"".join(body)


def ask_asgi(health: Health, path: str, method: str, headers: list[tuple[str, str]]) -> Answer:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": "http", "path": path, "method": method, "headers": raw}
    asyncio.run(asgi.HealthEndpoint(app, health)(scope, receive, send))
    start, body = sent
    assert all(name == name.lower() for name, _ in start["headers"])  # as ASGI asks
    lines = {name.decode().title(): value.decode() for name, value in start["headers"]}
    return start["status"], lines, body["body"]


def ask_flask(health: Health, path: str, method: str, headers: list[tuple[str, str]]) -> Answer:
    app = Flask("x")
    app.add_url_rule("/<path:_>", view_func=lambda _: ("", 204))
    init_app(app, health)
    response = app.test_client().open(path, method=method, headers=headers)
    return response.status_code, dict(response.headers), response.data


@pytest.fixture(params=[ask_wsgi, ask_asgi, ask_flask])
def ask(request: pytest.FixtureRequest) -> Ask:
    one: Ask = request.param
    threads.clear()

    def with_defaults(
        *headers: tuple[str, str],
        path: str = "/health",
        method: str = "GET",
        health: Health | None = None,
    ) -> Answer:
        return one(health or make_health(), path, method, list(headers))

    return with_defaults


def test_the_brief_view_is_for_everybody(ask: Ask) -> None:
    status, headers, body = ask()
    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Type"] == "application/json"
    assert int(headers["Content-Length"]) == len(body)
    assert (json.loads(body)["commit"], json.loads(body)["schema"]) == ("c0ffee", None)
    assert body.endswith(b"}\n")  # for a terminal
    assert threads == []


def test_the_details_are_for_the_token(ask: Ask) -> None:
    status, headers, body = ask(("X-Health-Token", TOKEN))
    assert (status, json.loads(body)["schema"]["current"]) == (200, "0046")
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [[("X-Health-Token", "guessed")], [("X-Health-Token", "")], [("X-Health-Token", "\xff" * 16)],
     [("X-Health-Token", TOKEN * 1_000)], [("X-Health-Token", TOKEN[:-1])],
     [("X-Health-Token", TOKEN), ("X-Health-Token", TOKEN)]],
)  # fmt: skip
def test_a_wrong_token_gets_what_no_token_gets(ask: Ask, headers: list[tuple[str, str]]) -> None:
    assert ask(*headers) == ask()
    assert threads == []


def test_a_database_that_does_not_answer_is_503_in_detail_and_not_in_brief(ask: Ask) -> None:
    def broken() -> SchemaState:
        raise ConnectionError("password")

    health = make_health(broken)
    status, _, body = ask(("X-Health-Token", TOKEN), health=health)
    assert (status, json.loads(body)["status"]) == (503, "error")
    assert b"password" not in body
    assert ask(health=health)[0] == 200


def test_head_has_no_body_and_other_methods_are_not_allowed(ask: Ask) -> None:
    status, headers, body = ask(method="HEAD")
    assert (status, body) == (200, b"")
    assert headers["Content-Length"] != "0"
    token = ("X-Health-Token", TOKEN)
    detailed, of_get = ask(token, method="HEAD"), ask(token)
    assert detailed == (*of_get[:2], b"")
    for method in ("POST", "PUT", "DELETE", "get"):
        status, headers, body = ask(token, method=method)
        assert (status, headers["Allow"]) == (405, "GET, HEAD")
        assert json.loads(body) == {"error": "method_not_allowed"}


@pytest.mark.parametrize("path", ["/other", "/health/", "/healthz", "/HEALTH", "/x/health"])
def test_every_other_path_is_the_applications(ask: Ask, path: str) -> None:
    assert ask(path=path)[0] == 204


@pytest.mark.parametrize(("script", "status"), [("", "204"), ("/api", "200")])
def test_the_whole_path_counts_also_where_the_application_is_mounted(
    script: str, status: str
) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("204 No Content", [])
        return []

    started: list[str] = []
    endpoint = wsgi.HealthEndpoint(app, make_health(), "/api/health")
    environ = {"SCRIPT_NAME": script, "PATH_INFO": "/health", "REQUEST_METHOD": "GET"}
    endpoint(environ, lambda line, _headers: started.append(line[:3]))
    assert started == [status]


def test_an_environ_of_the_barest_server_is_enough() -> None:
    """PEP 3333: SCRIPT_NAME and PATH_INFO may be absent where they are empty."""
    seen: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(environ)
        return []

    wsgi.HealthEndpoint(app, make_health())({"REQUEST_METHOD": "GET"}, lambda *_: None)  # type: ignore[arg-type, return-value]
    assert len(seen) == 1


def test_the_database_is_not_asked_in_the_event_loops_thread() -> None:
    threads.clear()
    ask_asgi(make_health(), "/health", "GET", [("X-Health-Token", TOKEN)])
    assert threads != [threading.main_thread().name]


def test_what_is_not_http_is_the_applications() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    async def nothing(*_: Any) -> Any:
        return None

    for kind in ("lifespan", "websocket"):
        scope = {"type": kind, "path": "/health"}
        asyncio.run(asgi.HealthEndpoint(app, make_health())(scope, nothing, nothing))
    assert seen == ["lifespan", "websocket"]


def test_flask_serves_it_at_another_path_and_gives_the_endpoint_back() -> None:
    app = Flask("x")
    endpoint = init_app(app, make_health(), "/-/health")
    assert app.wsgi_app is endpoint
    assert app.test_client().get("/-/health?x=1").status_code == 200
    assert app.test_client().get("/health").status_code == 404


def test_the_guard_goes_outside_and_may_leave_health_out() -> None:
    def client(exempt: set[str]) -> Any:
        app = Flask("x")
        init_app(app, make_health())
        guard_app(app, GuardPolicy("enforce", [Secret("s" * 16)], exempt=exempt))
        return app.test_client()

    assert client(set()).get("/health").status_code == 403
    assert client({"/health"}).get("/health").status_code == 200
    assert client({"/health"}).get("/other").status_code == 403
