"""A Platform API in memory, with an app behind it: small, exact about time, and told what to do
wrong. Speaks through an httpx transport (a clock that only moves when somebody waits) or as a
server of its own (for processes that are killed).

What it did is kept (`builds`, `releases`), so that a test can say what was done, whatever was told.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

TOKEN = "simulated-t0ken"
APP = "app"
SECRET = "s3cret-of-the-edge"
REPORT = (
    "truegreen-report/1 "
    '{"complete":true,"exit":0,"commit":"COMMIT","release":"vVERSION",'
    '"started_at":"2026-06-21T19:32:00Z","phases":'
    '[{"name":"preflight","status":"pass","seconds":0.0,"problems":[]}]}\n'
)


@dataclass
class Times:
    """Seconds that things take."""

    build: float = 5.0
    release: float = 3.0
    boot: float = 2.0


@dataclass
class Faults:
    """What is wrong with this world."""

    build_fails: bool = False
    release_fails: bool = False
    release_sticks: bool = False
    dyno_crashes: bool = False
    serves_old_code: bool = False
    origin_open: bool = False
    challenge: bool = False
    another_deploys_at: float = 0.0  # seconds after the first build was asked for; 0: never


@dataclass
class Build:
    id: str
    commit: str
    asked_at: float
    ends_at: float
    fails: bool
    release: Release | None = None


@dataclass
class Release:
    version: int
    commit: str | None
    asked_at: float
    ends_at: float  # of its release command
    ends_as: str  # succeeded | failed | pending (for ever)
    boots_at: float
    crashes: bool = False

    def status(self, now: float) -> str:
        return self.ends_as if now >= self.ends_at else "pending"


@dataclass
class Answer:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class SimulatedPlatform:
    """``clock``: seconds; ``wait`` lets time pass. ``base``: http://host:port of all that is here.

    The app serves ``serving`` as v2 from the beginning, when given; else it runs no code yet.
    """

    def __init__(
        self,
        base: str,
        *,
        clock: Callable[[], float] = time.time,
        wait: Callable[[float], None] = time.sleep,
        times: Times | None = None,
        faults: Faults | None = None,
        serving: str | None = None,
    ) -> None:
        self.base = base
        self.clock = clock
        self.wait = wait
        self.times = times or Times()
        self.faults = faults or Faults()
        self.builds: list[Build] = []
        self.releases: list[Release] = [Release(1, None, 0, 0, "succeeded", 0)]
        if serving:
            self.releases.append(Release(2, serving, 0, 0, "succeeded", 0))
        self.calls: list[str] = []
        self._rival_at = 0.0
        self._lock = threading.RLock()

    # what is true

    def settle(self) -> None:
        """What has become due: builds that ended make their releases; the rival deploys."""
        now = self.clock()
        for build in self.builds:
            if now >= build.ends_at and not build.fails and build.release is None:
                build.release = self.add_release(build.commit, build.ends_at)
        if self._rival_at and now >= self._rival_at:
            at, self._rival_at = self._rival_at, 0.0
            self.releases.append(
                Release(self.releases[-1].version + 1, "e" * 40, at, at, "succeeded", at)
            )

    def add_release(self, commit: str, at: float) -> Release:
        faults = self.faults
        ends_as = "failed" if faults.release_fails else "succeeded"
        if faults.release_sticks:
            ends_as = "pending"
        ends_at = at + self.times.release
        release = Release(
            self.releases[-1].version + 1, commit, at, ends_at, ends_as,
            ends_at + self.times.boot, faults.dyno_crashes,
        )  # fmt: skip
        self.releases.append(release)
        return release

    @property
    def current(self) -> Release:
        now = self.clock()
        return [r for r in self.releases if r.status(now) == "succeeded"][-1]

    def truly_serves(self, commit: str) -> bool:
        """Whether everything that green promises holds at this moment."""
        with self._lock:
            self.settle()
            one, now, faults = self.current, self.clock(), self.faults
            return (
                one.commit == commit
                and now >= one.boots_at
                and not one.crashes
                and not (faults.serves_old_code or faults.origin_open or faults.challenge)
            )

    def of(self, commit: str) -> list[Release]:
        return [one for one in self.releases if one.commit == commit]

    # answers

    def answer(self, method: str, host: str, path: str, headers: Any, body: bytes) -> Answer:
        with self._lock:
            self.settle()
            name = host.partition(":")[0]
            if name.endswith(".localhost"):
                return self._app_answers(name, path, headers)
            self.calls.append(f"{method} {path}")
            if path.startswith("/streams/"):
                following = path.split("/")
            elif path.startswith("/blobs/"):
                return Answer(200, b"")
            elif headers.get("authorization") != f"Bearer {TOKEN}":
                return Answer(401, {"id": "unauthorized", "message": "no"})
            else:
                return self._api(method, path, json.loads(body) if body else {})
        return self._stream(following[2], following[3])

    def _stream(self, kind: str, name: str) -> Answer:
        with self._lock:
            thing: Any = (
                next(b for b in self.builds if b.id == name)
                if kind == "builds"
                else next(r for r in self.releases if str(r.version) == name)
            )
        left = thing.ends_at - self.clock()
        if left > 0:
            self.wait(min(left, 30.0))
        text = "-----> done\n"
        if kind == "releases":
            text += REPORT.replace("COMMIT", thing.commit or "").replace("VERSION", name)
        return Answer(200, text.encode(), {"content-type": "text/plain"})

    def _app_answers(self, host: str, path: str, headers: Any) -> Answer:
        edge = host.startswith("edge")
        if edge and self.faults.challenge:
            return Answer(200, b"<title>Just a moment...</title>", {"cf-mitigated": "challenge"})
        if not edge and not self.faults.origin_open:
            return Answer(403, {"error": "direct_origin_blocked"})
        one = self.current
        now = self.clock()
        if one.commit is None:
            return Answer(502, {"error": "no_app"})
        if one.crashes and now >= one.ends_at:
            return Answer(503, {"error": "crashed"})
        older = [r for r in self.releases if r.version < one.version and r.commit]
        old = self.faults.serves_old_code or now < one.boots_at
        commit = older[-1].commit if old and older else one.commit
        if old and not older:
            return Answer(503, {"error": "booting"})
        if path != "/health":
            return Answer(404, {"error": "not_found"})
        return Answer(200, {"status": "ok", "commit": commit})

    def _api(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        parts = path.strip("/").split("/")
        if path == "/account":
            return Answer(200, {"id": "u", "email": "ship@example.com"})
        if path == "/sources":
            urls = {"put_url": f"{self.base}/blobs/1", "get_url": f"{self.base}/blobs/1"}
            return Answer(201, {"source_blob": urls})
        if parts[:2] != ["apps", APP]:
            return Answer(404, {"id": "not_found", "message": "no such app"})
        rest = parts[2:]
        if not rest:
            return Answer(200, self._app_json())
        if rest == ["builds"] and method == "POST":
            return Answer(201, self._build_json(self._new_build(body["source_blob"]["version"])))
        if rest == ["releases"] and method == "POST":
            now = self.clock()
            made = self.add_release(body["slug"].removeprefix("slug-"), now)
            return Answer(201, self._release_json(made))
        return self._read(rest)

    def _read(self, rest: list[str]) -> Answer:
        match rest:
            case ["config-vars"]:
                return Answer(200, {"ORIGIN_SECRET": SECRET})
            case ["addons"]:
                return Answer(200, [])
            case ["builds"]:
                return Answer(200, [self._build_json(b) for b in reversed(self.builds)])
            case ["builds", name]:
                return Answer(200, self._build_json(next(b for b in self.builds if b.id == name)))
            case ["releases"]:
                return Answer(200, [self._release_json(r) for r in reversed(self.releases)])
            case ["releases", name]:
                version = int(name.removeprefix("release-"))
                return Answer(200, self._release_json(self.releases[version - 1]))
            case ["slugs", name]:
                commit = name.removeprefix("slug-")
                types = {"web": "serve", "release": "release"}
                return Answer(200, {"id": name, "commit": commit, "process_types": types})
            case ["formation"]:
                return Answer(200, [{"type": "web", "quantity": 1, "command": "serve"}])
            case ["dynos"]:
                return Answer(200, [self._dyno_json()])
        return Answer(404, {"id": "not_found", "message": "/".join(rest)})

    def _new_build(self, commit: str) -> Build:
        now = self.clock()
        if self.faults.another_deploys_at and not self.builds:
            self._rival_at = now + self.faults.another_deploys_at
        build = Build(
            f"build-{len(self.builds) + 1}", commit, now, now + self.times.build,
            self.faults.build_fails,
        )  # fmt: skip
        self.builds.append(build)
        return build

    def _app_json(self) -> dict[str, Any]:
        port = self.base.rpartition(":")[2]
        return {
            "id": "app-1", "name": APP, "web_url": f"http://origin.localhost:{port}/",
            "edge_url": f"http://edge.localhost:{port}/",
        }  # fmt: skip

    def _build_json(self, build: Build) -> dict[str, Any]:
        ended = self.clock() >= build.ends_at
        release = build.release
        status = ("failed" if build.fails else "succeeded") if ended else "pending"
        return {
            "id": build.id, "status": status, "created_at": _moment(build.asked_at),
            "source_blob": {"version": build.commit},
            "slug": {"id": f"slug-{build.commit}"} if ended and not build.fails else None,
            "release": {"id": f"release-{release.version}"} if release else None,
            "output_stream_url": f"{self.base}/streams/builds/{build.id}",
        }  # fmt: skip

    def _release_json(self, one: Release) -> dict[str, Any]:
        return {
            "id": f"release-{one.version}", "version": one.version,
            "status": one.status(self.clock()), "current": one is self.current,
            "slug": {"id": f"slug-{one.commit}"} if one.commit else None,
            "output_stream_url": f"{self.base}/streams/releases/{one.version}",
            "description": "Deploy", "created_at": _moment(one.asked_at),
            "user": {"id": "u", "email": "ship@example.com"},
        }  # fmt: skip

    def _dyno_json(self) -> dict[str, Any]:
        one = self.current
        state = "up" if self.clock() >= one.boots_at else "starting"
        if one.crashes:
            state = "crashed"
        moment = _moment(one.asked_at)
        return {
            "id": "dyno-1", "name": "web.1", "type": "web", "state": state,
            "release": {"id": f"release-{one.version}", "version": one.version},
            "command": "serve", "size": "basic", "created_at": moment, "updated_at": moment,
        }  # fmt: skip


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Server:
    """A simulated platform on a port of its own; a context manager."""

    def __init__(self, **how: Any) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(handler) -> None:
                size = handler.headers.get("content-length")
                body = handler.rfile.read(int(size)) if size else b""
                path = handler.path.partition("?")[0]
                told = {k.lower(): v for k, v in handler.headers.items()}
                answer = self.platform.answer(
                    handler.command, told.get("host", ""), path, told, body
                )
                data = answer.data()
                handler.send_response(answer.status)
                kind = {"content-type": "application/json"} | answer.headers
                for name, value in (kind | {"content-length": str(len(data))}).items():
                    handler.send_header(name, value)
                handler.end_headers()
                handler.wfile.write(data)

            do_POST = do_PUT = do_GET

            def log_message(self, *_: Any) -> None:
                return

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                return  # a client that was killed is not worth a word

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.platform = SimulatedPlatform(self.base, **how)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()


class InMemory(httpx.BaseTransport):
    """A simulated platform as a transport; ``before`` may answer or fail in its place, and
    ``after`` change the answer that it gave."""

    def __init__(
        self,
        platform: SimulatedPlatform,
        before: Callable[[httpx.Request], httpx.Response | None] = lambda _: None,
        after: Callable[[httpx.Request, httpx.Response], httpx.Response] = lambda _, a: a,
    ) -> None:
        self._platform = platform
        self._before = before
        self._after = after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        instead = self._before(request)
        if instead is not None:
            return instead
        path = request.url.path
        answer = self._platform.answer(
            request.method, request.headers["host"], path, request.headers, body
        )
        kind = {"content-type": "application/json"} | answer.headers
        response = httpx.Response(
            answer.status, headers=kind, content=answer.data(), request=request
        )
        return self._after(request, response)
