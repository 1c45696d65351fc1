"""docs/flags.md: every example in it runs, and does what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BLOCK = re.compile(r"^```(python|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# file: (\S+)\n")

FLASK = """
from flask_app import create_app
client = create_app().test_client()
assert client.get("/items").json == {"size": 50, "new": True}, client.get("/items").json
assert create_app({"FLAG_PAGE_SIZE": 5}).test_client().get("/items").json["size"] == 5
assert client.get("/health").json["commit"] == "c0ffee"
assert client.get("/health", headers={"X-Health-Token": "t" * 16}).json["flags"]["declared"] == 2
"""
DJANGO = """
from shop.wsgi import application
from wsgiref.util import setup_testing_defaults
import json
def get(path, **more):
    environ = {"PATH_INFO": path, **more}
    setup_testing_defaults(environ)
    return json.loads(b"".join(application(environ, lambda *_: None)))
assert get("/items") == {"size": 50, "new": True}
assert get("/health")["commit"] == "c0ffee"
assert get("/health", HTTP_X_HEALTH_TOKEN="t" * 16)["flags"]["declared"] == 2
"""
FASTAPI = """
from fastapi.testclient import TestClient
from fastapi_app import app
client = TestClient(app)
assert client.get("/items").json() == {"size": 50, "new": True}
assert client.get("/health").json()["commit"] == "c0ffee"
detail = client.get("/health", headers={"X-Health-Token": "t" * 16}).json()
assert detail["flags"]["declared"] == 2
"""


@pytest.fixture
def page(request: pytest.FixtureRequest) -> str:
    return (request.config.rootpath / "docs" / "flags.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(page: str, tmp_path: Path) -> Path:
    """The files of the page, as a reader would have them."""
    for _, text in BLOCK.findall(page):
        if named := NAMED.match(text):
            path = tmp_path / named[1]
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FLAG_", "HEROKU", "PYTEST"))}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("code", [FLASK, DJANGO, FASTAPI], ids=["flask", "django", "fastapi"])
def test_each_framework_reads_flags_and_tells_its_health(folder: Path, code: str) -> None:
    done = run(
        folder,
        "-c",
        code,
        FLAG_NEW_CHECKOUT="on",
        HEROKU_SLUG_COMMIT="c0ffee",
        HEALTH_TOKEN="t" * 16,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["flask_app", "shop.wsgi", "fastapi_app"])
def test_no_framework_starts_with_a_flag_that_cannot_be_read(folder: Path, module: str) -> None:
    code = f"import {module} as it\ngetattr(it, 'create_app', int)()"
    done = run(folder, "-c", code, FLAG_NEW_CHECKOUT="maybe", FLAG_TYPO="1")
    assert done.returncode != 0
    assert "FLAG_NEW_CHECKOUT: 'maybe' is not a boolean" in done.stderr
    assert "FLAG_TYPO" in done.stderr


def test_the_pages_tests_pass(folder: Path) -> None:
    (folder / "pytest.ini").write_text("[pytest]\n")
    done = run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_checkout.py")
    assert "4 passed" in done.stdout, done.stdout + done.stderr


def test_the_snippets_hold(page: str, folder: Path) -> None:
    snippets = [
        text for kind, text in BLOCK.findall(page) if kind == "python" and not NAMED.match(text)
    ]
    assert len(snippets) == 3
    for text in snippets:
        done = run(folder, "-c", text)
        assert done.returncode == 0, done.stderr


def test_the_verbs_of_the_page_are_there(page: str, folder: Path) -> None:
    done = run(folder, "-m", "truegreen", "flags", "explain", "--here", FLAG_PAGE_SIZE="7")
    assert done.returncode == 0, done.stderr
    for verb in re.findall(r"`truegreen flags (\w+)", page):
        assert run(folder, "-m", "truegreen", "flags", verb, "--help").returncode == 0
