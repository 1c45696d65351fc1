"""Claims: the embedded platform is quick enough to be tested against all day, and does not leak.

A platform of its own is started, measured and stopped: its cold start, builds, its API over an app
of 1,000 releases, its router against the same gunicorn asked directly (with wrk where it is
installed, else with a loop of our own), its memory and file descriptors over 100,000 requests, and
20 apps at once. Prints a table; exits 1 when a claim does not hold. Takes about three minutes.

    python3 bootstrap.py python benchmarks/embedded.py [PART…]

Parts: start build api router leak apps. Builds install gunicorn, so they need a package index.
"""

from __future__ import annotations

import http.client
import os
import platform as machine
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from embedded_stage import (
    CONNECTIONS,
    Platform,
    Table,
    load,
    processor_seconds,
    resources,
    started,
)

from truegreen.embedded import locate

RELEASES = 1_000
REQUESTS = 100_000
APPS = 20
SECONDS = 4  # of load a measurement
ROUNDS = 5
API_MS, START_S, BUILD_S, SHARE, LEAK_MIB, LEAK_FDS = 5.0, 0.7, 1.0, 0.5, 8.0, 4
PARTS = ("start", "build", "api", "router", "leak", "apps")

WSGI = """
BODY = b"x" * int(__import__("os").environ.get("BODY_BYTES", "200"))
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))])
    return [BODY]
"""
GTHREAD = "gunicorn --bind $HOST:$PORT --workers 2 --threads 8 --log-level error web:app"
SYNC = "gunicorn --bind $HOST:$PORT --workers 2 --log-level error web:app"
SMALL = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *args): pass
http.server.HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


def service(command: str, requirements: str = "gunicorn\n") -> dict[str, str]:
    return {"web.py": WSGI, "Procfile": f"web: {command}\n", "requirements.txt": requirements}


# the parts


def start(table: Table, folder: Path) -> None:
    took = []
    for number in range(ROUNDS + 2):
        data = folder / f"start-{number}"
        began = time.monotonic()
        locate.ensure_running(data)
        took.append(time.monotonic() - began)
        locate.stop(data)
    middle = statistics.median(took)
    table.row(
        "cold start, from nothing to the API's first answer",
        f"{middle:.2f} s (best {min(took):.2f})",
        f"under {START_S} s", holds=middle < START_S,
    )  # fmt: skip


def build(table: Table, platform: Platform) -> None:
    platform.call("POST", "/apps", {"name": "built"})
    first = platform.deploy("built", service(GTHREAD))
    again = []
    for number in range(ROUNDS):
        changed = {**service(GTHREAD), "changed.txt": str(number)}
        again.append(platform.deploy("built", changed))
    platform.call("PATCH", "/apps/built/formation", {"updates": [{"type": "web", "quantity": 0}]})
    table.row("first build (gunicorn is downloaded or in uv's cache)", f"{first:.2f} s")
    middle = statistics.median(again)
    table.row(
        "second build of the same requirements", f"{middle:.2f} s", f"under {BUILD_S:g} s",
        holds=middle < BUILD_S,
    )  # fmt: skip


def api(table: Table, platform: Platform) -> None:
    platform.call("POST", "/apps", {"name": "many"})
    platform.deploy("many", service(GTHREAD))
    platform.call("PATCH", "/apps/many/formation", {"updates": [{"type": "web", "quantity": 0}]})
    config = {f"NAME_{number}": "value of an ordinary length" for number in range(30)}
    platform.call("PATCH", "/apps/many/config-vars", config)
    over = platform.connection()
    while (made := platform.call("PATCH", "/apps/many/config-vars", {"N": str(time.time_ns())},
                                 over=over)) and newest(platform, over) < RELEASES:  # fmt: skip
        assert made
    last = f"v{newest(platform, over)}"
    client = platform.client
    raw: dict[str, Callable[[], object]] = {
        name: lambda path=path, headers=headers: platform.call(
            "GET", path, headers=headers, over=over
        )
        for name, path, headers in (
            ("GET /apps/X", "/apps/many", {}),
            ("GET /apps", "/apps", {}),
            ("GET /apps/X/releases/vN", f"/apps/many/releases/{last}", {}),
            ("GET /apps/X/releases, newest 10", "/apps/many/releases",
             {"Range": "version ..; max=10, order=desc"}),
            ("GET /apps/X/releases, first 200", "/apps/many/releases", {}),
            ("GET /apps/X/config-vars", "/apps/many/config-vars", {}),
            ("GET /apps/X/formation", "/apps/many/formation", {}),
            ("GET /apps/X/dynos", "/apps/many/dynos", {}),
            ("GET /apps/X/builds", "/apps/many/builds", {}),
        )
    }  # fmt: skip
    ours: dict[str, Callable[[], object]] = {
        "client.app": lambda: client.app("many"),
        "client.release": lambda: client.release("many", last),
        "client.releases, newest 10": lambda: client.releases("many", limit=10),
        "client.config_vars": lambda: client.config_vars("many"),
        "client.formation": lambda: client.formation("many"),
        "client.dynos": lambda: client.dynos("many"),
    }
    write = {
        "PATCH /apps/X/config-vars (a release)": lambda: platform.call(
            "PATCH", "/apps/many/config-vars", {"N": str(time.time_ns())}, over=over
        )
    }
    for name, call in {**raw, **ours, **write}.items():
        spent = sorted(timed(call) for _ in range(100))
        p50, p95 = spent[50] * 1000, spent[95] * 1000
        table.row(
            f"{name}, {RELEASES:,} releases", f"p50 {p50:.2f} ms, p95 {p95:.2f} ms",
            f"p50 under {API_MS:g} ms", holds=p50 < API_MS,
        )  # fmt: skip
    over.close()


def newest(platform: Platform, over: http.client.HTTPConnection) -> int:
    headers = {"Range": "version ..; max=1, order=desc"}
    found = platform.call("GET", "/apps/many/releases", headers=headers, over=over)
    return int(found[0]["version"])


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def router(table: Table, platform: Platform) -> None:
    for name, command, size in (
        ("gunicorn, 2 workers of 8 threads, 200 bytes", GTHREAD, 200),
        ("gunicorn, 2 sync workers, 200 bytes", SYNC, 200),
        ("gunicorn, 2 workers of 8 threads, 64 KiB", GTHREAD, 65536),
    ):
        served(platform, command, size)
        direct_port = dyno_port(platform, "served")
        router_port = urlsplit(platform.info.router).port or 0
        rounds = []
        for _ in range(ROUNDS):  # in turn, so that both meet the same minute
            direct = load(direct_port, SECONDS)
            before = processor_seconds(platform.info.pid)
            routed = load(router_port, SECONDS, "served.localhost")
            spent = processor_seconds(platform.info.pid) - before
            rounds.append((routed / direct, routed, direct, spent / (routed * SECONDS)))
        share, routed, direct, _ = sorted(rounds)[ROUNDS // 2]
        spread = f"{min(rounds)[0]:.0%} to {max(rounds)[0]:.0%}"
        table.row(
            f"router: {name}",
            f"{routed:.0f}/s of {direct:.0f}/s asked directly: {share:.0%} ({spread})",
            f"at least {SHARE:.0%}", holds=share >= SHARE,
        )  # fmt: skip
        micros = statistics.median(spent for *_, spent in rounds) * 1e6
        table.row("router: its processor time a request, of these", f"{micros:.0f} µs")


def served(platform: Platform, command: str, size: int) -> None:
    """The app ``served`` runs ``command`` and answers ``size`` bytes."""
    if not any(app["name"] == "served" for app in platform.call("GET", "/apps")):
        platform.call("POST", "/apps", {"name": "served"})
    platform.call("PATCH", "/apps/served/config-vars", {"BODY_BYTES": str(size)})
    platform.deploy("served", service(command))
    platform.up("served")
    time.sleep(1.0)  # gunicorn's workers boot after its port answers


def dyno_port(platform: Platform, app: str) -> int:
    status = locate.ask(platform.info, "GET", "/truegreen/status")
    dynos = next(one["dynos"] for one in status["apps"] if one["name"] == app)
    environ = Path(f"/proc/{dynos[0]['pid']}/environ").read_bytes().split(b"\0")
    return int(next(item[5:] for item in environ if item.startswith(b"PORT=")))


def leak(table: Table, platform: Platform) -> None:
    served(platform, GTHREAD, 200)
    port = urlsplit(platform.info.router).port or 0
    done = load(port, 5, "served.localhost") * 5  # what is made once is made here
    time.sleep(1)
    memory, files = resources(platform.info.pid)
    warm, done = done, 0.0
    while done < REQUESTS:
        done += load(port, 10, "served.localhost") * 10
    time.sleep(2)
    after_memory, after_files = resources(platform.info.pid)
    grown, more = after_memory - memory, after_files - files
    table.row(
        f"platform's memory over {done:,.0f} requests (after {warm:,.0f} to warm up)",
        f"{memory:.1f} MiB, then {grown:+.1f} MiB", f"under +{LEAK_MIB:g} MiB",
        holds=grown < LEAK_MIB,
    )  # fmt: skip
    table.row(
        "platform's file descriptors over them", f"{files}, then {more:+d}",
        f"at most +{LEAK_FDS}", holds=more <= LEAK_FDS,
    )  # fmt: skip


def apps(table: Table, platform: Platform) -> None:
    names = [f"small-{number}" for number in range(1, APPS + 1)]
    files = {"web.py": SMALL, "Procfile": "web: python web.py\n", "requirements.txt": ""}
    began = time.monotonic()

    def bring_up(name: str) -> int:
        platform.call("POST", "/apps", {"name": name})
        platform.deploy(name, {**files, "name.txt": name})
        platform.up(name)
        return ask(platform, name)

    with ThreadPoolExecutor(APPS) as pool:
        good = list(pool.map(bring_up, names)).count(200)
    took = time.monotonic() - began
    still = [ask(platform, name) for name in names].count(200)
    table.row(
        f"{APPS} apps created, built and served at once", f"{took:.1f} s; {still} of {APPS} answer",
        f"all {APPS} answer", holds=good == still == APPS,
    )  # fmt: skip


def ask(platform: Platform, app: str) -> int:
    url = urlsplit(platform.info.router)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
    connection.request("GET", "/", headers={"Host": f"{app}.localhost"})
    status = connection.getresponse().status
    connection.close()
    return status


def main() -> None:
    chosen = sys.argv[1:] or list(PARTS)
    if unknown := set(chosen) - set(PARTS):
        sys.exit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    table = Table()
    loader = "wrk" if shutil.which("wrk") else "a loop of our own"
    print(
        f"truegreen {version('truegreen')}, Python {machine.python_version()}, {os.cpu_count()} "
        f"CPUs, load by {loader}, {CONNECTIONS} kept connections, medians\n"
    )
    print("| what | measured | claim | |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="truegreen-benchmark-") as name:
        folder = Path(name)
        if "start" in chosen:
            start(table, folder)
        with started(folder / "platform") as platform:
            for part in (build, api, router, leak, apps):
                if part.__name__ in chosen:
                    part(table, platform)
    print("\nevery claim holds" if table.held else "\na claim does NOT hold")
    sys.exit(0 if table.held else 1)


if __name__ == "__main__":
    main()
