"""What the adapters promise beside the answers that the conformance suite compares."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette

from truegreen.guard import GuardError, GuardPolicy
from truegreen.guard.selftest.exchange import Request
from truegreen.guard.selftest.inprocess import AsgiDriver
from truegreen.guard.starlette import init_app
from truegreen.secret import Secret

ENFORCE = GuardPolicy("enforce", [Secret("right")])

DJANGO = """
import django
from django.conf import settings
from truegreen.guard import GuardError, GuardPolicy
from truegreen.secret import Secret
settings.configure({settings})
django.setup()
from django.core.{kind} import get_{kind}_application
try:
    get_{kind}_application()
except GuardError as error:
    print("refused:", error.message)
"""
NAME = "truegreen.guard.django.OriginGuardMiddleware"
OTHER = "django.middleware.common.CommonMiddleware"
POLICY = 'GuardPolicy("enforce", [Secret("right")])'


def test_the_guard_is_outermost_whatever_is_added_after_it() -> None:
    seen: list[str] = []

    class Added:
        def __init__(self, app: object) -> None:
            pass

        async def __call__(self, scope: dict[str, str], receive: object, send: object) -> None:
            seen.append(scope["type"])

    app = Starlette()
    init_app(app, ENFORCE)
    app.add_middleware(Added)  # type: ignore[arg-type]
    with AsgiDriver(app) as driver:
        assert seen == ["lifespan"]
        refused = driver.send(Request("GET", b"/"))
        assert refused.summary == "403 direct_origin_blocked"
        assert seen == ["lifespan"]
        driver.send(Request("GET", b"/", ((b"X-Origin-Secret", b"right"),)))
        assert seen == ["lifespan", "http"]


def test_an_application_that_has_started_is_not_guarded_halfway() -> None:
    app = Starlette()
    with AsgiDriver(app) as driver:
        assert driver.send(Request("GET", b"/")).status == 404
    with pytest.raises(GuardError, match="started already"):
        init_app(app, ENFORCE)


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (f"MIDDLEWARE=[{NAME!r}]", "TRUEGREEN_GUARD is no GuardPolicy"),
        (f"MIDDLEWARE=[{NAME!r}], TRUEGREEN_GUARD='enforce'", "is no GuardPolicy"),
        (f"MIDDLEWARE=[{OTHER!r}, {NAME!r}], TRUEGREEN_GUARD={POLICY}", "is not the first"),
        (f"MIDDLEWARE=[{NAME!r}, {OTHER!r}], TRUEGREEN_GUARD={POLICY}", ""),
    ],
    ids=["no setting", "a string", "not first", "right"],
)
def test_django_does_not_start_with_a_guard_that_could_not_guard(
    kind: str, settings: str, says: str
) -> None:
    script = DJANGO.format(settings=settings, kind=kind)
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=90, check=True
    )
    assert (says in ran.stdout, bool(ran.stdout)) == (True, bool(says))


def test_djangos_middleware_judges_the_lines_that_asgi_has() -> None:
    """In META they are joined: a second X-Forwarded-For line would come last."""
    script = """
import asyncio, django, io
from django.conf import settings
from truegreen.guard import HEROKU, GuardPolicy, Ranges, client_address
ranges = Ranges(["104.16.0.0/13"], client_header="cf-connecting-ip")
policy = GuardPolicy("enforce", exempt={"/health"}, ranges=ranges, profile=HEROKU,
                     checks=["ranges"])
settings.configure(MIDDLEWARE=["truegreen.guard.django.OriginGuardMiddleware"],
                   TRUEGREEN_GUARD=policy, DEFAULT_CHARSET="utf-8")
django.setup()
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse
from truegreen.guard.django import OriginGuardMiddleware
async def view(request):
    assert b"x-origin-secret" not in dict(request.scope["headers"])
    assert "HTTP_X_ORIGIN_SECRET" not in request.META
    return HttpResponse(client_address(request.META) or "nobody")
middleware = OriginGuardMiddleware(view)
def ask(path, *lines, client=("10.0.0.1", 1)):
    headers = [(name.encode(), value.encode()) for name, value in lines]
    headers += [(b"cf-connecting-ip", b"203.0.113.9"), (b"x-origin-secret", b"x")]
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers, "client": client}
    answer = asyncio.run(middleware(ASGIRequest(scope, io.BytesIO())))
    print(answer.status_code, answer.content.decode())
edge, direct = ("x-forwarded-for", "104.16.0.1"), ("x-forwarded-for", "1.2.3.4, 203.0.113.66")
ask("/", edge)
ask("/", direct, edge)
ask("/", edge, edge)
ask("/", direct, ("x_forwarded_for", "104.16.0.1"))
ask("/", client=None)
ask("/health", direct)
print(policy.tally.counts)
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=90, check=True
    )
    blocked = '403 {"error": "direct_origin_blocked"}'
    *answers, counts = ran.stdout.splitlines()
    assert answers == ["200 203.0.113.9", *[blocked] * 4, "200 nobody"]
    assert ast.literal_eval(counts) == {
        "admitted": 1,
        "exempt": 1,
        "forwarded_duplicated": 2,
        "address_outside": 1,
        "address_missing": 1,
    }


def test_mypy_takes_real_applications(tmp_path: Path) -> None:
    """A Flask is accepted by the Flask adapter and a FastAPI by Starlette's, not crosswise."""
    (tmp_path / "typed.py").write_text(
        "from fastapi import FastAPI\n"
        "from flask import Flask\n"
        "from truegreen.guard import GuardPolicy\n"
        "from truegreen.guard import flask, starlette\n"
        "from truegreen.guard.asgi import OriginGuard as Asgi\n"
        "from truegreen.guard.wsgi import OriginGuard as Wsgi\n"
        'policy = GuardPolicy("off")\n'
        'flask.init_app(Flask("x"), policy)\n'
        "starlette.init_app(FastAPI(), policy)\n"
        'Wsgi(Flask("x").wsgi_app, policy)\n'
        "Asgi(FastAPI(), policy)\n"
        "flask.init_app(FastAPI(), policy)\n"
        'starlette.init_app(Flask("x"), policy)\n'
    )
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", "cache", "typed.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    found = [line.split(":")[1] for line in ran.stdout.splitlines() if ": error:" in line]
    assert found == ["12", "13"], ran.stdout + ran.stderr
