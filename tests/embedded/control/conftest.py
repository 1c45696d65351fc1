"""A real platform in a process of its own, and a small client for it."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from truegreen.embedded import locate
from truegreen.embedded.locate import PlatformInfo

WEB = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        names = ("HEROKU_RELEASE_VERSION", "HEROKU_SLUG_COMMIT", "GREETING")
        text = " ".join(os.environ.get(name, "-") for name in names)
        body = f"{text} {self.headers.get('X-Origin-Secret')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
address = (os.environ["HOST"], int(os.environ["PORT"]))
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""
APP = {"app.py": WEB, "Procfile": "web: python app.py\n", "requirements.txt": ""}


def tarball(files: Mapping[str, str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


class Client:
    """Calls the API of one platform; ``deploy`` is the whole way from a tarball to a release."""

    APP = APP
    tarball = staticmethod(tarball)
    eventually = staticmethod(lambda question, seconds=60: eventually(question, seconds))

    def __init__(self, info: PlatformInfo) -> None:
        self.info = info
        self.http = httpx.Client(
            base_url=info.api,
            headers={"Authorization": f"Bearer {info.token().reveal()}"},
            timeout=60,
            trust_env=False,
        )

    def get(self, path: str, **headers: str) -> Any:
        answer = self.http.get(path, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def post(self, path: str, values: Any = None) -> Any:
        answer = self.http.post(path, json=values)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def patch(self, path: str, values: Any) -> Any:
        answer = self.http.patch(path, json=values)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def start_build(self, app: str, source: bytes, version: str = "c0ffee") -> Any:
        blob = self.post("/sources")["source_blob"]
        assert self.http.put(blob["put_url"], content=source).status_code == 200
        return self.post(
            f"/apps/{app}/builds", {"source_blob": {"url": blob["get_url"], "version": version}}
        )

    def build(self, app: str, source: bytes, version: str = "c0ffee") -> tuple[Any, str]:
        """The finished build and its output."""
        build = self.start_build(app, source, version)
        output = self.http.get(build["output_stream_url"]).text
        return self.get(f"/apps/{app}/builds/{build['id']}"), output

    def deploy(self, app: str, files: Mapping[str, str], version: str = "c0ffee") -> Any:
        """The finished release of a build that must succeed."""
        build, output = self.build(app, tarball(files), version)
        assert build["status"] == "succeeded", output
        return self.settled(app, build["release"]["id"])

    def settled(self, app: str, release: str) -> Any:
        def done() -> Any:
            found = self.get(f"/apps/{app}/releases/{release}")
            return found if found["status"] != "pending" else None

        return eventually(done)

    def output(self, release: Any) -> str:
        return self.http.get(release["output_stream_url"]).text

    def up(self, app: str, version: int) -> list[Any]:
        """The app's dynos, once there are some and all are up on ``version``."""

        def done() -> Any:
            dynos = self.get(f"/apps/{app}/dynos")
            good = [d["state"] == "up" and d["release"]["version"] == version for d in dynos]
            return dynos if good and all(good) else None

        return eventually(done)

    def ask(self, base: str, app: str) -> str:
        return self.http.get(base, headers={"Host": f"{app}.localhost"}).text


def eventually(question: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.05)
    return answer


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Client]:
    """A platform of this test alone."""
    data = tmp_path / "platform"
    client = Client(locate.ensure_running(data, timeout=60))
    yield client
    client.http.close()
    locate.stop(data)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One platform for all tests of a module; each takes an app of its own."""
    data = tmp_path_factory.mktemp("platform")
    client = Client(locate.ensure_running(data, timeout=60))
    yield client
    client.http.close()
    locate.stop(data)
