"""docs/guard.md: its applications hold under the selftest that it names, its table is true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from truegreen.guard import GuardPolicy, Ranges
from truegreen.guard.attacks import matrix, must_be_refused
from truegreen.guard.flask import init_app
from truegreen.secret import Secret

BLOCK = re.compile(r"^```python\n# file: (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `(\w+)` \| (gets in|refused) \| (gets in|refused) .*$", re.MULTILINE)
SECRET = "a-secret-of-this-page"


@pytest.fixture
def page(request: pytest.FixtureRequest) -> str:
    return (request.config.rootpath / "docs" / "guard.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(page: str, tmp_path: Path) -> Path:
    for name, text in BLOCK.findall(page):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def selftest(folder: Path, app: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("ORIGIN_", "DJANGO_"))}
    command = [sys.executable, "-c", "from truegreen.cli import main; main()", "guard", "selftest"]
    return subprocess.run(
        [*command, app, "--exempt", "/health"],
        cwd=folder,
        env=clean | {"ORIGIN_SECRET": SECRET} | variables,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


@pytest.mark.parametrize(
    "app",
    [
        "flask_app:app",
        "fastapi_app:app",
        "django.core.wsgi:get_wsgi_application()",
        "django.core.asgi:get_asgi_application()",
        "shop.wsgi:application",
    ],
)
def test_the_pages_applications_hold_in_enforce_and_let_everything_in_in_report(
    folder: Path, page: str, app: str
) -> None:
    django = {"DJANGO_SETTINGS_MODULE": "shop.settings"}
    settings = folder / "shop" / "settings.py"
    if app.startswith("shop"):
        lines = settings.read_text().splitlines(keepends=True)
        settings.write_text("".join(line for line in lines if "OriginGuardMiddleware" not in line))
    held = selftest(folder, app, ORIGIN_GUARD="enforce", **django)
    assert (held.returncode, "GOT THROUGH" in held.stdout) == (0, False), held
    assert "2 of 2 legitimate requests let in" in held.stdout
    if app == "flask_app:app":
        assert held.stdout.strip() in " ".join(page.split())
    assert SECRET not in held.stdout + held.stderr
    if app == "flask_app:app":
        watched = selftest(folder, app, ORIGIN_GUARD="report", **django)
        assert watched.returncode == 1
        (line,) = re.findall(r"`(origin guard: would refuse .*) path=", page)
        assert line in watched.stderr


def test_the_pages_visitor_is_the_edges_word_of_who_passed(folder: Path) -> None:
    told: dict[str, object] = {"__name__": "visitor"}
    exec(compile((folder / "visitor.py").read_text(), "visitor.py", "exec"), told)
    app = told["app"]
    assert isinstance(app, Flask)
    init_app(app, GuardPolicy("report", [Secret(SECRET)]))
    named = {"CF-Connecting-IP": "2001:DB8::1"}
    client = app.test_client()
    passed = client.get("/whoami", headers={"X-Origin-Secret": SECRET, **named})
    assert passed.get_json() == {"address": "2001:db8::1"}
    assert client.get("/whoami", headers=named).get_json() == {"address": None}


def test_enforce_without_a_secret_does_not_start_as_the_page_says(folder: Path) -> None:
    ran = selftest(folder, "flask_app:app", ORIGIN_SECRET="")  # nor with no mode said
    assert ran.returncode == 3
    assert "mode enforce without a secret" in ran.stderr


def test_the_pages_conftest_keeps_in_process_tests_apart_from_the_machine(folder: Path) -> None:
    code = "import conftest, flask_app; print(flask_app.app.test_client().get('/').status_code)"
    for script, status in ((code, "200"), (code.replace("conftest, ", ""), "403")):
        ran = subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            env=os.environ | {"ORIGIN_GUARD": "enforce", "ORIGIN_SECRET": SECRET},
            capture_output=True,
            text=True,
            timeout=90,
            check=True,
        )
        assert ran.stdout.strip() == status


def test_all_of_it_together_asks_for_everything(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in (
        ("ORIGIN_SECRET", SECRET),
        ("ACCESS_AUD", "aud"),
        ("METRICS_TOKEN", "m" * 20),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("ORIGIN_GUARD", raising=False)
    undated = Ranges(["104.16.0.0/13"])  # the shipped list grows too old one day
    monkeypatch.setattr(Ranges, "shipped", lambda: undated)
    told: dict[str, Any] = {"__name__": "hardened"}
    exec(compile((folder / "hardened.py").read_text(), "hardened.py", "exec"), told)
    policy = told["policy"]
    assert (policy.mode, policy.checks) == ("enforce", ("secret", "ranges", "access"))
    client = told["app"].test_client()
    headers = {
        "X-Origin-Secret": SECRET,
        "X-Forwarded-For": "203.0.113.9, 104.16.0.1",
        "Cf-Access-Jwt-Assertion": "x",
        "Authorization": "Bearer " + "m" * 20,
    }
    for missing in ("X-Origin-Secret", "X-Forwarded-For"):
        fewer = {name: value for name, value in headers.items() if name != missing}
        assert client.get("/-/guard/metrics", headers=fewer).status_code == 403
    assert client.get("/-/guard/metrics", headers=headers).status_code == 403
    reasons = {"secret_missing", "address_missing", "access_keys_stale"}
    assert policy.tally.counts == dict.fromkeys(reasons, 1)
    assert len(caplog.records) == 1


def test_the_table_says_what_the_matrix_says(page: str) -> None:
    attacks = {attack.name: attack for attack in matrix()}
    rows = [match[0] for match in ROW.finditer(page)]
    assert len(rows) == 8
    for row in rows:
        name, *cells = (cell.strip(" `") for cell in row.strip("|").split("|"))
        checks = ("presence_unsafe", "ranges", "worker", "secret")
        for check, cell in zip(checks, cells, strict=True):
            assert (cell == "refused") == must_be_refused(attacks[name], [check]), (name, check)


def test_no_python_on_the_page_goes_untested(page: str) -> None:
    assert page.count("```python") == len(BLOCK.findall(page)) == 8
