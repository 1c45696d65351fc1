"""The guard around a WSGI application and a Flask one."""

import io
import logging
from typing import Any
from wsgiref.util import setup_testing_defaults

from flask import Flask, request

from truegreen.guard import GuardPolicy, Tally
from truegreen.guard.flask import init_app
from truegreen.guard.wsgi import OriginGuard
from truegreen.secret import Secret

SEEN: str = "HTTP_X_ORIGIN_SECRET"


def ask(guard: OriginGuard, **environ: str) -> tuple[str, dict[str, str], bytes]:
    setup_testing_defaults(environ)
    answer: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        answer.extend([status, dict(headers)])
        return io.BytesIO().write

    body = b"".join(guard(environ, start))
    return answer[0], answer[1], body


def app(environ: dict[str, Any], start: Any) -> list[bytes]:
    start("200 OK", [])
    return [b"secret seen" if SEEN in environ else b"fine"]


def guard(mode: str = "enforce") -> OriginGuard:
    return OriginGuard(app, GuardPolicy(mode, [Secret("right")]))


def test_a_direct_request_gets_the_contracts_refusal() -> None:
    status, headers, body = ask(guard(), HTTP_CF_CONNECTING_IP="203.0.113.9")
    assert status == "403 Forbidden"
    assert body == b'{"error": "direct_origin_blocked"}'
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Length"] == str(len(body))


def test_a_refused_head_request_has_no_body() -> None:
    assert ask(guard(), REQUEST_METHOD="HEAD")[2] == b""


def test_the_application_never_sees_the_secret_header() -> None:
    for mode in ("enforce", "report", "off"):
        status, _, body = ask(guard(mode), **{SEEN: "right"})
        assert (status, body) == ("200 OK", b"fine")


def test_requests_are_counted_by_reason() -> None:
    one = guard()
    ask(one, **{SEEN: "right"})
    ask(one)
    ask(one)
    assert one.counts == {"admitted": 1, "secret_missing": 2}


def test_a_flask_application_is_guarded_from_the_outside() -> None:
    service = Flask(__name__)

    @service.get("/")
    def index() -> str:
        return str(request.headers.get("X-Origin-Secret"))

    init_app(service, GuardPolicy("enforce", [Secret("right")]))
    client = service.test_client()
    refused = client.get("/")
    assert (refused.status_code, refused.get_json()) == (403, {"error": "direct_origin_blocked"})
    assert client.get("/nowhere").status_code == 403
    assert client.get("/", headers={"X-Origin-Secret": "right"}).text == "None"


def test_a_secret_sent_twice_is_refused_as_gunicorn_joins_it() -> None:
    assert ask(guard(), **{SEEN: "wrong,right"})[0] == "403 Forbidden"


def test_a_path_that_a_header_has_cut_is_not_exempt() -> None:
    """gunicorn hands /health with ``SCRIPT_NAME: /health`` on as the root of the application."""
    logged: list[str] = []
    log = logging.getLogger("tests.guard.wsgi")
    log.addFilter(lambda record: logged.append(record.getMessage()) or False)
    policy = GuardPolicy("enforce", [Secret("right")], exempt={"/health"}, tally=Tally(log=log))
    one = OriginGuard(app, policy)
    assert ask(one, SCRIPT_NAME="/health", PATH_INFO="")[0] == "200 OK"  # mounted there
    for script, path in (("/health", ""), ("/hea", "lth"), ("/", "health")):
        cut = {"SCRIPT_NAME": script, "PATH_INFO": path, "HTTP_SCRIPT_NAME": script}
        assert ask(one, **cut)[0] == "403 Forbidden"
        assert ask(one, **cut, **{SEEN: "right"})[0] == "200 OK"
    assert "path='SCRIPT_NAME: /health'" in logged[0]
