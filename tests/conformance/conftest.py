"""The real Heroku CLI against a platform of ours; what it ran is kept for the docs' table."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from truegreen.embedded import locate
from truegreen.embedded.locate import PlatformInfo

INSTALL = "npm install --prefix .truegreen/heroku-cli --no-save heroku@11 @heroku-cli/schema@2"
WEB = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{os.environ.get('GREETING')} {os.environ.get('HEROKU_RELEASE_VERSION')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
address = (os.environ["HOST"], int(os.environ["PORT"]))
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""
RELEASE = """
import os, sys
print("release command says", os.environ.get("GREETING"))
sys.exit(int(os.environ.get("RELEASE_EXIT", "0")))
"""
APP = {
    "app.py": WEB,
    "release.py": RELEASE,
    "Procfile": "web: python app.py\nrelease: python release.py\n",
    "requirements.txt": "",
}


def tarball(files: Mapping[str, str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


def eventually(question: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.05)
    return answer


class Stage:
    """A platform, and its API asked directly."""

    eventually = staticmethod(eventually)

    def __init__(self, info: PlatformInfo) -> None:
        self.info = info
        self.token = info.token().reveal()
        self.http = httpx.Client(base_url=info.api, timeout=60, trust_env=False)

    def call(self, method: str, path: str, values: Any = None, token: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token if token is None else token}".strip()}
        return self.http.request(method, path, json=values, headers=headers)

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def post(self, path: str, values: Any) -> Any:
        answer = self.call("POST", path, values)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def deploy(self, app: str, files: Mapping[str, str] = APP) -> Any:
        """The release of a build that must succeed, once it has ended."""
        blob = self.post("/sources", None)["source_blob"]
        assert self.http.put(blob["put_url"], content=tarball(files)).status_code == 200
        source = {"source_blob": {"url": blob["get_url"], "version": "c0ffee"}}
        build = self.post(f"/apps/{app}/builds", source)
        output = self.http.get(build["output_stream_url"]).text
        build = self.get(f"/apps/{app}/builds/{build['id']}")
        assert build["status"] == "succeeded", output
        return self.settled(app, build["release"]["id"])

    def settled(self, app: str, release: str | None = None) -> Any:
        """That release, or the newest one, once it is not pending any more."""

        def done() -> Any:
            found = self.get(f"/apps/{app}/releases")
            wanted = [r for r in found if release in (None, r["id"])][-1]
            return wanted if wanted["status"] != "pending" else None

        return eventually(done)

    def up(self, app: str, count: int = 1) -> Any:
        def done() -> Any:
            dynos = [d for d in self.get(f"/apps/{app}/dynos") if d["type"] == "web"]
            good = [d for d in dynos if d["state"] == "up"]
            return dynos if len(good) == len(dynos) == count else None

        return eventually(done)

    def page(self, host: str) -> httpx.Response:
        return self.http.get(self.info.router, headers={"Host": host})


@dataclass
class Cli:
    """``ran``: what was run, as the docs call it, to its verdict."""

    program: str
    stage: Stage
    home: Path
    ran: dict[str, str] = field(default_factory=dict)

    def environment(self, token: str | None = None) -> dict[str, str]:
        return {
            "PATH": f"{Path(self.program).parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "GIT_CONFIG_GLOBAL": str(self.home / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "DISABLE_TELEMETRY": "true",
            "HEROKU_SKIP_NEW_VERSION_CHECK": "1",
            "HEROKU_DISABLE_AUTOUPDATE": "1",  # else it leaves a process behind
            # the CLI asks this host about unpaid bills, and waits for its name to resolve
            "HEROKU_PARTICLEBOARD_URL": self.stage.info.api,
            "HEROKU_HOST": self.stage.info.api,
            "HEROKU_API_KEY": self.stage.token if token is None else token,
            "NODE_EXTRA_CA_CERTS": str(self.stage.info.data / "rendezvous.pem"),
            "TERM": "dumb",
            "COLUMNS": "300",
        }

    def run(self, *args: str, token: str | None = None, stdin: str = "") -> Any:
        return subprocess.run(
            [self.program, *args], env=self.environment(token), input=stdin, cwd=self.home,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def works(
        self, *args: str, row: str | None = None, verdict: str = "works", code: int = 0,
        token: str | None = None, stdin: str = "",
    ) -> str:  # fmt: skip
        """Standard output of a command that must end with ``code``."""
        done = self.run(*args, token=token, stdin=stdin)
        assert done.returncode == code, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        self.ran[row or args[0]] = verdict
        return str(done.stdout)

    def refused(self, *args: str, row: str | None = None, token: str | None = None) -> str:
        """Both outputs of a command that must fail; ``row`` '' keeps it out of the table."""
        done = self.run(*args, token=token)
        assert done.returncode != 0, f"{args}: {done.stdout}"
        if row != "":
            self.ran[row or args[0]] = "refused"
        return str(done.stdout + done.stderr)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    data = tmp_path_factory.mktemp("platform")
    stage = Stage(locate.ensure_running(data, timeout=60))
    yield stage
    stage.http.close()
    locate.stop(data)


@pytest.fixture(scope="module")
def cli(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    program = os.environ.get("TRUEGREEN_HEROKU_CLI") or shutil.which("heroku")
    if program is None or not Path(program).is_file():
        said = f"the Heroku CLI is not here ({program}): {INSTALL}, then set TRUEGREEN_HEROKU_CLI"
        if os.environ.get("TRUEGREEN_CONFORMANCE") == "required":
            pytest.fail(said)
        pytest.skip(said)
    eventually((stage.info.data / "rendezvous.pem").is_file)
    return Cli(program, stage, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def demo(stage: Stage) -> str:
    """An app that runs: v1 is empty, v2 its config, v3 its code."""
    stage.post("/apps", {"name": "demo"})
    stage.call("PATCH", "/apps/demo/config-vars", {"GREETING": "hello"})
    assert stage.deploy("demo")["status"] == "succeeded"
    stage.up("demo")
    return "demo"
