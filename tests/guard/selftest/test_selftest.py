"""``truegreen guard selftest`` finds the hole, says 0 only when there is none, and 3 when it cannot
tell."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from truegreen.cli.guard_selftest import command
from truegreen.errors import Unverified, UsageError
from truegreen.guard.attacks import matrix
from truegreen.guard.selftest.inprocess import AsgiDriver
from truegreen.guard.selftest.loading import load_app
from truegreen.guard.selftest.run import run_in_process

SECRET = "Correct-horse-7"
Selftest = Callable[..., tuple[int, dict[str, Any]]]

GUARDED = """
import os
from truegreen.guard import GuardPolicy
from truegreen.guard.wsgi import OriginGuard
print("noise on standard output")
def inner(environ, start_response):
    start_response("200 OK", [])
    return [b"in"]
policy = GuardPolicy.from_environ(os.environ, mode="enforce", exempt={"/health"})
app = OriginGuard(inner, policy)
def factory():
    return app
"""
PREFIX_EXEMPT = """
def app(environ, start_response):
    open_ = environ["PATH_INFO"].lower().startswith("/health")
    allowed = open_ or environ.get("HTTP_X_ORIGIN_SECRET") == "Correct-horse-7"
    start_response("200 OK" if allowed else "403 Forbidden", [])
    return [b"in" if allowed else b'{"error": "direct_origin_blocked"}']
"""
RANGES_ALONE = GUARDED.replace(
    'mode="enforce"', 'mode="enforce", checks=["ranges"], ranges=Ranges.shipped(), profile=HEROKU'
).replace("import GuardPolicy", "import HEROKU, GuardPolicy, Ranges")
CUT_OFF = """
def app(environ, start_response):
    whole = environ["SCRIPT_NAME"] + environ["PATH_INFO"]
    allowed = whole == "/health" or environ.get("HTTP_X_ORIGIN_SECRET") == "Correct-horse-7"
    start_response("200 OK" if allowed else "403 Forbidden", [])
    return [b"in" if allowed else b'{"error": "direct_origin_blocked"}']
"""
LAST_LINE_WINS = """
def app(environ, start_response):
    given = environ.get("HTTP_X_ORIGIN_SECRET", "").split(",")[-1].strip()
    allowed = given == "Correct-horse-7"
    start_response("200 OK" if allowed else "403 Forbidden", [])
    return [b"in" if allowed else b'{"error": "direct_origin_blocked"}']
"""
OPEN_WEBSOCKET = """
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import WebSocketRoute
async def socket(websocket):
    await websocket.accept()
    await websocket.close()
async def only_http(scope, receive, send):
    if scope["type"] == "http":
        sent = [value for name, value in scope["headers"] if name == b"x-origin-secret"]
        if sent != [b"Correct-horse-7"]:
            answer = JSONResponse({"error": "direct_origin_blocked"}, 403)
            return await answer(scope, receive, send)
    await routes(scope, receive, send)
routes = Starlette(routes=[WebSocketRoute("/", socket)])
app = only_http
"""
NO_START = """
from truegreen.guard import GuardPolicy
def factory():
    GuardPolicy("enforce")
"""
LIFESPAN_FAILS = """
async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})
"""
REFUSES_ALL = """
def app(environ, start_response):
    start_response("403 Forbidden", [])
    return [b'{"error": "direct_origin_blocked"}']
"""
OTHER_403 = """
def app(environ, start_response):
    start_response("403 Forbidden", [])
    return [b'{"error": "csrf"}']
"""
RAISES = """
def app(environ, start_response):
    raise RuntimeError("broken")
"""


@pytest.fixture
def selftest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Selftest:
    """Calls the verb on an application's source; gives its exit status and its document."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("ORIGIN_SECRET", SECRET)

    def call(source: str, *options: str, app: str = "app") -> tuple[int, dict[str, Any]]:
        name = f"selftest_{tmp_path.name.replace('-', '_')}"
        (tmp_path / f"{name}.py").write_text(source)
        sys.modules.pop(name, None)
        args = [f"{name}:{app}", "--dir", str(tmp_path), "--json", *options]
        code = command.main(args, standalone_mode=False)
        return code, json.loads(capsys.readouterr().out)

    return call


def names(document: dict[str, Any]) -> set[str]:
    return {one["name"] for one in document["through"]}


@pytest.mark.parametrize("app", ["app", "factory()"])
def test_a_guarded_application_lets_nothing_through(selftest: Selftest, app: str) -> None:
    code, document = selftest(GUARDED, "--exempt", "/health", app=app)
    assert (code, document["verdict"], document["through"]) == (0, "green", [])
    assert document["attacks"] > 160  # behind both routers
    assert [one["verdict"] for one in document["controls"]] == ["through", "through"]
    assert SECRET not in json.dumps(document)


@pytest.mark.parametrize(
    ("source", "options", "found"),
    [
        (GUARDED.replace("enforce", "report"), (), "plain"),
        (PREFIX_EXEMPT, ("--exempt", "/health"), "exempt_goes_on/health"),
        (PREFIX_EXEMPT, ("--exempt", "/health"), "exempt_upper_case/health"),
        (RANGES_ALONE, ("--router", "2.0"), "xff_underscored"),
        (CUT_OFF, ("--exempt", "/health"), "exempt_cut_off/health"),
        (LAST_LINE_WINS, (), "secret_wrong_then_right"),
        (LAST_LINE_WINS, (), "secret_joined_to_wrong"),
        (OPEN_WEBSOCKET, (), "plain"),
        (OTHER_403, (), "plain"),
        (RAISES, (), "plain"),
    ],
)
def test_a_hole_is_found_and_named(
    selftest: Selftest, source: str, options: tuple[str, ...], found: str
) -> None:
    code, document = selftest(source, *options)
    assert (code, document["verdict"]) == (1, "red")
    assert found in names(document)


def test_a_hole_in_the_websocket_alone_is_found_there(selftest: Selftest) -> None:
    _, document = selftest(OPEN_WEBSOCKET)
    assert {one["via"] for one in document["through"]} == {"WebSocket"}


def test_without_the_secret_nothing_is_found_out(
    selftest: Selftest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORIGIN_SECRET")
    code, document = selftest(REFUSES_ALL)
    assert (code, document["verdict"], document["controls"]) == (3, "unverified", [])


def test_a_guard_that_refuses_everybody_proves_nothing(selftest: Selftest) -> None:
    code, document = selftest(REFUSES_ALL)
    assert (code, len(document["unknown"])) == (3, 2)


@pytest.mark.parametrize(
    ("source", "app", "says"),
    [
        (NO_START, "factory()", "mode enforce without a secret"),
        (LIFESPAN_FAILS, "app", "no database"),
        ("import not_there_at_all", "app", "not_there_at_all"),
        ("raise SystemExit(4)", "app", "SystemExit"),
    ],
)
def test_an_application_that_does_not_start_is_unverified(
    selftest: Selftest, source: str, app: str, says: str
) -> None:
    with pytest.raises(Unverified, match=says):
        selftest(source, app=app)


@pytest.mark.parametrize(
    ("source", "app", "options"),
    [
        (GUARDED, "nothing", ()),
        (GUARDED, "app-", ()),
        (GUARDED, "app.", ()),
        (GUARDED, "policy", ()),
        (GUARDED, "factory", ()),
        (GUARDED, "app", ("--path", "health")),
        (GUARDED, "app", ("--path", "/health", "--exempt", "/health")),
        (GUARDED, "app", ("--header", "X:Y")),
        (GUARDED, "app", ("--edge", "http://127.0.0.1:1")),
        (GUARDED, "app", ("--secret", "in-the-clear")),
        (GUARDED, "app", ("--with", "no header")),
    ],
)
def test_a_call_that_is_off_is_a_usage_error(
    selftest: Selftest, source: str, app: str, options: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError):
        selftest(source, *options, app=app)


def test_an_application_that_never_answers_is_unknown_and_not_refused() -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await asyncio.Event().wait()

    with AsgiDriver(silent, longest=0.05) as driver:
        result = run_in_process(
            driver,
            matrix()[:2],
            secret=SECRET,
            header="X-Origin-Secret",
            path="/",
            routers=("none",),
            websocket=True,
        )
    assert [one.verdict for one in result.attacks] == ["unknown"] * 4
    assert result.exit_code == 3


@pytest.mark.parametrize("name", ["..:app", ".app:app", "app", "app:", ":app", "a b:app"])
def test_what_names_no_module_is_a_usage_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is no application"):
        load_app(name, tmp_path)


@pytest.mark.parametrize("secret", ["\u20acuro-secret", "\udcff-not-utf-8", "line\nline"])
def test_a_secret_that_no_header_carries_is_a_usage_error(
    selftest: Selftest, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("ORIGIN_SECRET", secret)
    with pytest.raises(UsageError, match="the secret has"):
        selftest(REFUSES_ALL)


def test_a_factory_that_needs_arguments_is_told_which(selftest: Selftest) -> None:
    source = GUARDED.replace("factory()", "factory(config, /, *more, other, also=1)")
    with pytest.raises(UsageError, match="factory needs arguments: config, other"):
        selftest(source, app="factory()")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (GUARDED + "app = OriginGuard(app, policy)", "one guard only"),
        (GUARDED.replace("enforce", "off"), "its mode enforce?"),
        (GUARDED, ""),
    ],
)
def test_the_text_says_what_to_look_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    source: str,
    says: str,
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("ORIGIN_SECRET", SECRET)
    name = f"told_{tmp_path.name.replace('-', '_').replace('[', '_')}"
    (tmp_path / f"{name}.py").write_text(source)
    command.main([f"{name}:app", "--dir", str(tmp_path)], standalone_mode=False)
    hints = [line for line in capsys.readouterr().out.splitlines() if line.endswith("?")]
    assert [says in line for line in hints] == [True] * bool(says)


def test_the_text_names_what_got_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("ORIGIN_SECRET", SECRET)
    (tmp_path / "selftest_text_app.py").write_text(LAST_LINE_WINS)
    args = ["selftest_text_app:app", "--dir", str(tmp_path)]
    assert command.main(args, standalone_mode=False) == 1
    said = capsys.readouterr().out
    assert "GOT THROUGH  secret_wrong_then_right (router 2.0)" in said
    assert "2 of 2 legitimate requests let in" in said
    assert SECRET not in said
