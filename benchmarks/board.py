"""The board over a ledger of a million runs: time a page, memory, events to 200 pages, first paint.

python3 bootstrap.py python benchmarks/board.py [--records N] [--folder FOLDER]

The ledger has 1,000 apps and a correct chain. The newest hundred runs of each app, which are all
that a page reads whole, have bodies as long as real ones (7 kB); the older ones are short, so that
it fits on a small disk. Times are of the client on loopback, so the server's own are below them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from truegreen.ledger import GENESIS, Ledger
from truegreen.ledger.record import canonical, chain_hash
from truegreen.model import CHECKS, stamp

APPS, WHOLE, ASKED, PAGES, VISITS = 1000, 100, 200, 200, 5
PAGE_LIMIT, MEMORY_LIMIT, EVENT_LIMIT, PAINT_LIMIT = 50.0, 150.0, 1.0, 300.0

_AT = datetime(2001, 1, 1, tzinfo=UTC)  # what stands for a run's own in the moulds of its body
_APP, _COMMIT, _MOMENT = "app-xxxx", "c" * 40, stamp(_AT)


def document(app: str, verdict: str, at: datetime, commit: str) -> dict[str, Any]:
    """As long as a real run's document."""

    def check(name: str, question: str) -> dict[str, Any]:
        return {
            "name": name,
            "status": "pass" if verdict == "green" else "fail",
            "required": True,
            "observed": question,
            "expected": question,
            "source": f"release v5 of {app}",
            "at": stamp(at),
            "digest": "sha256:" + commit,
            "detail": {"told": question * 2},
        }

    steps = ("gates", "platform", "lease", "app", "baseline", "build", "release", "verify")
    return {
        "verdict": verdict, "sentence": f"{app} serves v5 ({commit[:8]}): {verdict}.", "app": app,
        "commit": commit, "release": {"version": 5, "status": "succeeded", "current": True},
        "serving": {"version": 5, "status": "succeeded", "current": True, "says": commit},
        "baseline": {"version": 4, "status": "succeeded", "current": True},
        "schema": {"current": "0046", "heads": ["0046"], "relation": "at head"},
        "checks": [check(one.name, one.question) for one in CHECKS],
        "diagnosis": [], "recommendation": None, "overrides": [], "gates": [], "wave": None,
        "notes": [], "timings": {"total": 20.0},
        "committed_at": stamp(at - timedelta(hours=1)),
        "events": [{"at": stamp(at), "step": step, "state": state, "text": f"{step} of {app}"}
                   for step in steps for state in ("running", "done")],
    }  # fmt: skip


def rows(count: int) -> Iterator[tuple[Any, ...]]:
    """``count`` runs of all apps in turn, chained, the last of them a minute ago."""
    first = datetime.now(UTC) - timedelta(seconds=26 * count)
    moulds = {
        verdict: canonical(document(_APP, verdict, _AT, _COMMIT)) for verdict in ("green", "red")
    }
    previous = GENESIS
    for number in range(1, count + 1):
        app, at = f"app-{number % APPS:04}", first + timedelta(seconds=26 * number)
        verdict = "red" if number % 17 == 0 else "green"
        commit = f"{number:040x}"
        whole = number > count - WHOLE * APPS
        moment = stamp(at)
        body = f'{{"sentence":"{verdict}"}}'
        if whole:
            body = moulds[verdict].replace(_APP, app).replace(_COMMIT, commit)
            body = body.replace(_MOMENT, moment)
        digest = chain_hash(previous, moment, "ship", app, commit, verdict, body)
        yield number, moment, "ship", app, commit, verdict, body, previous, digest
        previous = digest


def fill(path: Path, count: int) -> None:
    Ledger.open(path).close()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous=OFF")
    db.execute("PRAGMA cache_size=-500000")
    db.execute("BEGIN")
    db.executemany("INSERT INTO record VALUES (?,?,?,?,?,?,?,?,?)", rows(count))
    last = "(SELECT hash FROM record ORDER BY id DESC LIMIT 1)"
    db.execute(f"UPDATE head SET id = ?, hash = {last}", (count,))
    db.execute("COMMIT")
    db.close()


def memory(pid: int, name: str) -> float:
    """MB, as Linux accounts them: VmHWM is the most that there was."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(name)


def pages(address: str, count: int) -> Iterator[tuple[str, float, float, int]]:
    """Median and p95 in milliseconds, and the bytes, of each page, asked for 200 times."""
    paths = {
        "all apps": lambda n: f"/?page={n % 25 + 1}",
        "one app": lambda n: f"/apps/app-{n * 37 % APPS:04}",
        "one app, old runs": lambda n: f"/apps/app-{n * 37 % APPS:04}?before={count // 2}",
        "one release": lambda n: f"/releases/{count - n * 97 % (WHOLE * APPS)}",
        "incidents": lambda _: "/incidents",
        "drills": lambda _: "/drills",
    }
    with httpx.Client(base_url=address) as web:
        for name, path in paths.items():
            web.get(path(0)).raise_for_status()
            took, size = [], 0
            for number in range(ASKED):
                began = time.perf_counter()
                answer = web.get(path(number)).raise_for_status()
                took.append(1000 * (time.perf_counter() - began))
                size = len(answer.content)
            yield name, statistics.median(took), statistics.quantiles(took, n=20)[-1], size


async def events(address: str, ledger: Path) -> list[float]:
    """Seconds from each record to the last of 200 open pages, five times."""
    host, port = address.removeprefix("http://").rstrip("/").split(":")

    async def line() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readuntil(b"the board listens")
        return reader, writer

    lines = [await line() for _ in range(PAGES)]
    await asyncio.sleep(1)
    found = []
    with Ledger.open(ledger) as opened:
        for number in range(5):
            commit = f"{number:040x}"
            body = document("app-0001", "red", datetime.now(UTC), commit)
            began = time.perf_counter()
            opened.append("ship", app="app-0001", commit=commit, verdict="red", body=body)
            await asyncio.gather(*(reader.readuntil(b'"sentence"') for reader, _ in lines))
            found.append(time.perf_counter() - began)
            await asyncio.sleep(0.5)
    for _, writer in lines:
        writer.close()
    return found


def first_paints(address: str) -> dict[str, list[float]] | None:
    """Milliseconds to the first contentful paint of a new browser's first page, and of its second;
    of the board's pages in turn with a page of one line from the same server, which is what
    Chromium itself takes. None without Chromium."""
    from playwright.sync_api import Browser, sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        return None
    told = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"

    def visit(browser: Browser, path: str) -> float:
        page = browser.new_page()
        page.goto(address + path)
        paint = None
        while paint is None:  # asked again from here: the board's policy lets no page evaluate
            page.wait_for_timeout(20)
            paint = page.evaluate(told)
        page.close()
        return float(paint)

    found: dict[str, list[float]] = {}
    with sync_playwright() as playwright:
        for _ in range(VISITS):
            for first, second in (("one-line", "one-line"), ("", "apps/app-0001")):
                browser = playwright.chromium.launch(
                    executable_path=chromium, args=["--no-sandbox"]
                )
                for name, path in (("first", first), ("second", second)):
                    found.setdefault(f"{name} {first}", []).append(visit(browser, path))
                browser.close()
    return found


def tell_paints(paints: dict[str, list[float]]) -> None:
    for name in ("first", "second"):
        floor, board = paints[f"{name} one-line"], paints[f"{name} "]
        middle, least = statistics.median(board), statistics.median(floor)
        print(
            f"first paint, a new browser's {name} page: median {middle:.0f} ms, best"
            f" {min(board):.0f}, worst {max(board):.0f}   target <= 300 ms:"
            f" {held(middle, PAINT_LIMIT)}\n"
            f"  a page of one line from the same server: median {least:.0f} ms, best"
            f" {min(floor):.0f}; so the board's own part is {middle - least:.0f} ms"
        )


def serve_with_one_line(service: Path) -> None:
    """The board of ``service``, with the page that is what a browser takes at least."""
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, Response
    from starlette.routing import Route

    from truegreen.board import Annex, Sources
    from truegreen.board.serve import serve
    from truegreen.config import load_config

    async def one_line(_: Request) -> Response:
        return HTMLResponse("<!doctype html><title>one line</title><p>one line")

    annex = Annex((Route("/one-line", one_line),))
    serve(
        Sources(load_config(service)),
        annexes=[annex],
        ready=lambda url: print(url, file=sys.stderr, flush=True),
    )


def held(value: float, limit: float) -> str:
    return "holds" if value <= limit else "MISSED"


def measure(service: Path, count: int) -> None:
    ledger = service / ".truegreen" / "ledger.sqlite3"
    command = [sys.executable, __file__, "--serve", str(service)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = process.stderr.readline().strip()
        try:
            print(f"memory at the start: {memory(process.pid, 'VmRSS'):.0f} MB")
            print("page                 median     p95      size   target p95 <= 50 ms")
            for name, median, p95, size in pages(address, count):
                print(f"{name:<19}{median:>6.1f} ms{p95:>6.1f} ms{size / 1024:>7.0f} kB"
                      f"   {held(p95, PAGE_LIMIT)}")  # fmt: skip
            heard = asyncio.run(events(address, ledger))
            print(
                f"an event to the last of {PAGES} pages: median {statistics.median(heard):.2f} s,"
                f" worst {max(heard):.2f} s   target <= 1 s: {held(max(heard), EVENT_LIMIT)}"
            )
            paints = first_paints(address)
            if paints is None:
                print("first paint: not measured, there is no Chromium")
            else:
                tell_paints(paints)
            most = memory(process.pid, "VmHWM")
            print(f"memory at most: {most:.0f} MB   target <= 150 MB: {held(most, MEMORY_LIMIT)}")
        finally:
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="keep the ledger there, and use it again")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve_with_one_line(chosen.serve)
        return
    count: int = chosen.records
    with tempfile.TemporaryDirectory(prefix="truegreen-board-") as folder:
        service = chosen.folder or Path(folder)
        service.mkdir(exist_ok=True)
        (service / "truegreen.toml").write_text(
            '[service]\nname = "fleet"\n[env.production]\napp = "app-0001"\n', encoding="utf-8"
        )
        began = time.perf_counter()
        path = service / ".truegreen" / "ledger.sqlite3"
        if not path.exists():
            fill(path, count)
        size = path.stat().st_size / 1e9
        longest = len(json.dumps(document("app", "green", datetime.now(UTC), "0" * 40)))
        print(
            f"{count:,} runs of {APPS:,} apps, {size:.2f} GB, made in"
            f" {time.perf_counter() - began:.0f} s; a whole body has {longest / 1000:.1f} kB"
        )
        measure(service, count)


if __name__ == "__main__":
    main()
