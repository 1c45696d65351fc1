"""Real servers on 127.0.0.1, each on a socket that this process has opened and listens on already.

So the port is known before the server is up, a request waits for it instead of being refused, and
two processes can serve the same port, as dynos do in turn.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from truegreen.guard.selftest.exchange import Answer, Request
from truegreen.guard.selftest.urls import UrlDriver

HERE = Path(__file__).parent
LONG = 90.0
SECRET = "correct-horse-Battery-staple"

# (server, application): every adapter under every server that can carry it.
STACKS = [
    *(
        (server, app)
        for app in ("wsgi", "flask", "django_wsgi")
        for server in ("gunicorn", "waitress")
    ),
    ("gunicorn", "django_middleware_wsgi"),
    *(("uvicorn", app) for app in ("asgi", "starlette", "fastapi", "django_asgi")),
    ("uvicorn", "django_middleware_asgi"),
    ("gunicorn-asgi", "asgi"),
    ("gunicorn-asgi", "starlette"),
    ("gunicorn-uvicorn", "asgi"),
    ("gunicorn-uvicorn", "fastapi"),
]
# By our name for it: gunicorn's own ASGI worker, and uvicorn's for gunicorn.
WORKERS = {
    "gunicorn": "sync",
    "gunicorn-asgi": "asgi",
    "gunicorn-uvicorn": "uvicorn.workers.UvicornWorker",
}


class Server:
    """A server process. ``stop`` asks it to end gracefully and gives its exit status."""

    def __init__(
        self, server: str, app: str, listening: socket.socket, environ: Mapping[str, str]
    ) -> None:
        number = listening.fileno()
        if kind := WORKERS.get(server):
            command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{number}"]
            command += ["--worker-class", kind, "--no-control-socket", "--log-level", "warning"]
            command += ["--chdir", str(HERE), f"apps:{app}()"]
        else:
            command = [sys.executable, str(HERE / "serve.py"), server, app, str(number)]
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("ORIGIN_", "GUARD_"))}
        path = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
        clean |= {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **environ}
        self._process = subprocess.Popen(
            command,
            env=clean,
            pass_fds=[number],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def ended(self) -> tuple[int, str]:
        """Waits for its end: exit status and standard error."""
        _, said = self._process.communicate(timeout=LONG)
        return self._process.returncode, said

    def stop(self) -> tuple[int, str]:
        self._process.terminate()
        try:
            return self.ended()
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self.ended()


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as made:
        made.bind(("127.0.0.1", 0))
        made.listen(512)
        yield made


@contextmanager
def running(server: str, app: str, environ: Mapping[str, str] | None = None) -> Iterator[UrlDriver]:
    """A server with the guard in mode enforce, unless ``environ`` says otherwise."""
    with listening() as made:
        port = made.getsockname()[1]
        process = Server(server, app, made, {"ORIGIN_SECRET": SECRET, **(environ or {})})
        made.close()  # so that a server that does not start refuses, instead of never answering
        driver = UrlDriver(f"http://127.0.0.1:{port}", timeout=LONG)
        first = driver.send(Request("GET", b"/health"))
        if first.status != 200:  # with what the server says of it: else nobody ever learns why
            raise AssertionError((first, *process.stop()))
        try:
            yield driver
        finally:
            status, said = process.stop()
        assert "Traceback" not in said, (status, said)


def ask(
    driver: UrlDriver, path: str = "/", *headers: tuple[str, str], method: str = "GET"
) -> Answer:
    pairs = tuple((name.encode(), value.encode("latin-1")) for name, value in headers)
    return driver.send(Request(method, path.encode(), pairs))
