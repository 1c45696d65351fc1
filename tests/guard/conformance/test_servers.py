"""Every adapter, under every server that carries it, gives the same answers to the same bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from truegreen.guard.attacks import Attack, legitimate, matrix
from truegreen.guard.selftest.exchange import Answer, Request
from truegreen.guard.selftest.urls import UrlDriver

from .apps import HEADER, HEALTH
from .servers import HERE, LONG, SECRET, STACKS, Server, ask, listening, running

BODY = b'{"error": "direct_origin_blocked"}'
ATTACKS = matrix(HEADER, secret=SECRET, exempt=[HEALTH])
# Waitress drops the second slash before anybody sees it: what it asks for then *is* the path.
UPGRADE = next(attack for attack in ATTACKS if attack.name == "websocket_upgrade")
# Gunicorn trusts who connects from 127.0.0.1, and on Heroku everybody; to the others it is /health.
CREDULOUS = ("gunicorn",)
SAME_PATH = {"exempt_doubled_slash/health"}
# Django's handler raises for a WebSocket before any middleware, and the server logs a traceback.
TAKES_NONE = "django_middleware_asgi"


def stack(server: str, app: str) -> object:
    """One worker of xdist has it all to itself, so that its server starts once."""
    name = f"{server}-{app}"
    return pytest.param((server, app), id=name, marks=pytest.mark.xdist_group(f"guard-{name}"))


@pytest.fixture(scope="module", params=[stack(*one) for one in STACKS])
def service(request: pytest.FixtureRequest) -> Iterator[UrlDriver]:
    with running(*request.param) as driver:
        yield driver


def told(answer: Answer) -> dict[str, object]:
    assert answer.status == 200, answer
    found: dict[str, object] = json.loads(answer.body)
    return found


def is_refusal(answer: Answer, method: str) -> bool:
    if answer.status == 403 and (answer.header("content-length"), answer.body) == ("0", b""):
        return method == "WEBSOCKET"  # the server's own, when the guard has closed the socket
    return (
        answer.status == 403
        and answer.body == (b"" if method == "HEAD" else BODY)
        and answer.header("content-type") == "application/json"
        and answer.header("cache-control") == "no-store"
        and answer.header("content-length") in ("34", "")
    )


def test_every_attack_gets_the_same_refusal(
    service: UrlDriver, request: pytest.FixtureRequest
) -> None:
    server, app = request.node.callspec.params["service"]
    attacks = [
        attack
        for attack in ATTACKS
        if not (attack is UPGRADE and app == TAKES_NONE)
        and (attack.server != "credulous" or server in CREDULOUS)
    ]
    assert not_refused(service, attacks) == []


def not_refused(service: UrlDriver, attacks: list[Attack]) -> list[object]:
    wrong = []
    for attack in attacks:
        answer = service.send(Request(attack.method, attack.target, attack.headers))
        if attack.name in SAME_PATH and answer.status == 200:
            assert told(answer)["reached"] == HEALTH
        elif not is_refusal(answer, attack.method if attack is not UPGRADE else "WEBSOCKET"):
            wrong.append((attack.name, answer.summary, answer.headers, answer.body))
    return wrong


def test_without_the_compiled_part_the_answers_are_the_same(tmp_path: Path) -> None:
    """Where it is installed, all the other servers here have it."""
    (tmp_path / "truegreen_speedups.py").write_text("raise ImportError('not here')\n")
    path = os.pathsep.join([str(tmp_path), str(HERE)])
    with running("uvicorn", "asgi", {"PYTHONPATH": path}) as driver:
        assert not_refused(driver, [one for one in ATTACKS if one.server != "credulous"]) == []
        answer = driver.send(Request("GET", b"/", legitimate(SECRET, HEADER)))
        assert told(answer) == {"reached": "/", "secret_seen": False}


def test_a_legitimate_request_reaches_the_application_without_the_secret(
    service: UrlDriver,
) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = service.send(Request(method, b"/any/path?x=1", legitimate(SECRET, HEADER)))
        assert told(answer) == {"reached": "/any/path", "secret_seen": False}
    assert service.send(Request("HEAD", b"/", legitimate(SECRET, HEADER))).status == 200


def test_the_headers_name_is_read_in_any_case(service: UrlDriver) -> None:
    for name in (HEADER.upper(), HEADER.lower()):
        assert told(ask(service, "/", (name, SECRET)))["secret_seen"] is False


def test_an_exempt_path_is_let_in_and_still_loses_the_secret(service: UrlDriver) -> None:
    for path in (HEALTH, HEALTH + "?detail=1", "/%68ealth"):
        assert told(ask(service, path))["reached"] == HEALTH
    assert told(ask(service, HEALTH, (HEADER, "wrong")))["secret_seen"] is False


@pytest.mark.parametrize("server", ["gunicorn-asgi", "gunicorn-uvicorn", "uvicorn"])
@pytest.mark.parametrize("app", ["asgi", "starlette", "fastapi"])
def test_a_websocket_is_refused_before_it_is_accepted_and_opens_with_the_secret(
    server: str, app: str
) -> None:
    with running(server, app) as driver:
        refused = driver.send(Request("GET", b"/", UPGRADE.headers))
        assert (refused.status, b"direct" in refused.body or not refused.body) == (403, True)
        twice = (*UPGRADE.headers, *2 * ((HEADER.encode(), SECRET.encode()),))
        assert driver.send(Request("GET", b"/", twice)).status == 403
        allowed = (*UPGRADE.headers, (HEADER.encode(), SECRET.encode()))
        assert driver.send(Request("GET", b"/", allowed)).status == 101


@pytest.mark.parametrize("app", ["asgi", "fastapi"])
def test_a_websocket_client_talks_to_the_application_under_uvicorn(app: str) -> None:
    """With a client that speaks the protocol, not only the handshake."""
    with running("uvicorn", app) as driver:
        url = driver.url.replace("http", "ws", 1) + "/any"
        with connect(url, additional_headers={HEADER: SECRET}, open_timeout=LONG) as socket:
            told = json.loads(socket.recv(timeout=LONG))
            assert told == {"reached": "/any", "secret_seen": False}
        for headers in ({}, {HEADER: "wrong"}, {"CF-Connecting-IP": "203.0.113.9"}):
            with pytest.raises(InvalidStatus) as refused:
                connect(url, additional_headers=headers, open_timeout=LONG)
            assert refused.value.response.status_code == 403
            assert json.loads(refused.value.response.body or b"") == json.loads(BODY)


@pytest.mark.parametrize(
    ("server", "app"), [("gunicorn", "flask"), ("waitress", "wsgi"), ("uvicorn", "starlette")]
)
def test_enforce_without_a_secret_does_not_start(server: str, app: str) -> None:
    with listening() as made:
        process = Server(server, app, made, {"GUARD_MODE": "enforce"})
        status, said = process.ended()
    assert status not in (0, -15)
    assert "origin guard: mode enforce without a secret" in said


@pytest.mark.parametrize(
    ("server", "app"), [("gunicorn", "flask"), ("waitress", "wsgi"), ("uvicorn", "starlette")]
)
def test_report_lets_the_whole_matrix_in_and_strips_all_the_same(server: str, app: str) -> None:
    with running(server, app, {"GUARD_MODE": "report"}) as driver:
        for attack in ATTACKS:
            if attack.method == "GET" and attack is not UPGRADE:
                answer = driver.send(Request("GET", attack.target, attack.headers))
                if attack.name not in ("secret_underscored", "secret_prefixed"):  # other headers
                    assert told(answer)["secret_seen"] is False, attack
