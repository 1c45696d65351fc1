"""Claims: the engine adds at most 10 ms a step; the ledger takes 2,000 appends a second on SQLite,
and a million records are verified in 15 s; a verdict stands 0.5 s after the platform's own end.

Each number is the best and the median of several rounds, on this machine. The verdict is timed
against the platform in memory of the tests, on a real port and a real clock, because it knows the
moment of its own end to the microsecond. Prints a table and exits 1 when a claim is missed.

    python3 bootstrap.py python benchmarks/pipeline.py
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from simulated_platform import APP, TOKEN, Faults, Server, SimulatedPlatform, Times
from simulated_world import CONFIG

from truegreen.config import load_config
from truegreen.embedded.postgres import PostgresServer
from truegreen.ledger import GENESIS, Ledger
from truegreen.ledger.record import chain_hash
from truegreen.ledger.tables import SCHEMA
from truegreen.secret import Secret
from truegreen.ship.durable import DurableEngine
from truegreen.ship.memory import Memory, RunKey
from truegreen.ship.pipeline import Guards, ship
from truegreen.ship.progress import Nobody
from truegreen.ship.source import read_source
from truegreen.ship.target import Target
from truegreen.state import DATABASE_URL, Location, locate
from truegreen.state.sqlite import SqliteDatabase

STEPS, ROUNDS = 60, 5
APPENDS = 4000
MILLION = 1_000_000
BODY = {"sentence": "app serves v3 (3c1a0000): 10 of 10 required checks pass.", "n": 1}


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = PostgresServer(folder)

    def on(work: object) -> object:
        return asyncio.run_coroutine_threadsafe(work, loop).result(120)  # type: ignore[arg-type]

    try:
        on(server.start())
        yield str(on(server.create_database("bench")))
    finally:
        on(server.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def step_seconds(location: Location) -> list[float]:
    """Seconds that one step costs, round by round."""

    def work(memory: Memory) -> float:
        began = time.perf_counter()
        for number in range(STEPS):
            memory.step(f"step {number}", lambda: {"id": "release-3", "there": False})
        return (time.perf_counter() - began) / STEPS

    with DurableEngine.start(location) as engine:
        return [engine.run(RunKey("http://api", "app", str(n), ""), work) for n in range(ROUNDS)]


def appends_a_second(location: Location) -> list[float]:
    found = []
    with Ledger.open(location) as ledger:
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for _ in range(APPENDS // ROUNDS):
                ledger.append("ship", app="app", commit="c" * 40, verdict="green", body=BODY)
            found.append(APPENDS / ROUNDS / (time.perf_counter() - began))
    return found


def a_million(path: Path) -> tuple[float, int]:
    """Seconds to verify a million records, and the megabytes that they take."""
    database = SqliteDatabase.open(path, SCHEMA)
    at, body, previous = (
        "2026-06-21T19:32:00.000Z",
        '{"n":1,"sentence":"' + "x" * 180 + '"}',
        GENESIS,
    )
    with database.write() as writer:
        for number in range(1, MILLION + 1):
            digest = chain_hash(previous, at, "ship", "app", "c" * 40, "green", body)
            writer.run(
                "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (number, at, "ship", "app", "c" * 40, "green", body, previous, digest),
            )
            previous = digest
        writer.run("UPDATE head SET id = ?, hash = ?", (MILLION, previous))
    database.close()
    with Ledger.open(path) as ledger:
        began = time.perf_counter()
        found = ledger.verify()
        took = time.perf_counter() - began
    assert found.holds
    assert found.records == MILLION
    return took, path.stat().st_size // 1_000_000


def verdict_after_end(folder: Path, faults: Faults) -> list[float]:
    """Seconds from the platform's own end (dynos up, or release failed) to the verdict."""
    (folder / "truegreen.toml").write_text(CONFIG)
    (folder / ".gitignore").write_text(".truegreen\n")
    name = ("git", "-c", "user.name=b", "-c", "user.email=b@example.com")
    subprocess.run([*name, "init", "--quiet"], cwd=folder, check=True)
    subprocess.run([*name, "add", "--all"], cwd=folder, check=True)
    found = []
    with Server() as server, Ledger.open(folder / "ledger.sqlite3") as ledger:
        for _ in range(ROUNDS):
            command = [*name, "commit", "--quiet", "--allow-empty", "--message", "next"]
            subprocess.run(command, cwd=folder, check=True)
            times = Times(build=0.7, release=1.3, boot=0.9)
            server.platform = SimulatedPlatform(server.base, times=times, faults=faults)
            config, source = load_config(folder), read_source(folder)
            target = Target("url", server.base, Secret(TOKEN), config.environments["production"])
            ship(config, source, lambda t=target: t, Nobody(), ledger=ledger,
                 guards=Guards(forward_only=False))  # fmt: skip
            told = time.time()
            release = server.platform.of(source.commit)[-1]
            found.append(told - (release.ends_at if faults.release_fails else release.boots_at))
    return found


def line(claim: str, values: list[float], unit: str, limit: float, *, more: bool = False) -> bool:
    best = max(values) if more else min(values)
    middle = statistics.median(values)
    holds = middle >= limit if more else middle <= limit
    sign = "≥" if more else "≤"
    print(f"| {claim} | {best:,.3g} {unit} | {middle:,.3g} {unit} | {sign} {limit:,g} {unit} |"
          f" {'holds' if holds else 'MISSED'} |")  # fmt: skip
    return holds


def main() -> int:
    assert APP == "app"
    print("| claim | best | median | limit | |\n|---|---|---|---|---|")
    held = []
    with tempfile.TemporaryDirectory(prefix="truegreen-benchmark-") as name:
        folder = Path(name)
        here = locate(folder / "sqlite", {})
        steps = [1000 * value for value in step_seconds(here)]
        held.append(line("engine, a step, SQLite", steps, "ms", 10))
        held.append(line("ledger appends, SQLite", appends_a_second(here), "/s", 2000, more=True))
        with postgres(folder / "postgres") as url:
            there = locate(folder, {DATABASE_URL: url})
            steps = [1000 * value for value in step_seconds(there)]
            held.append(line("engine, a step, Postgres", steps, "ms", 10))
            rates = appends_a_second(there)
            print(f"| ledger appends, Postgres | {max(rates):,.0f} /s"
                  f" | {statistics.median(rates):,.0f} /s | no claim | |")  # fmt: skip
        for what, faults in (("green", Faults()), ("failed release", Faults(release_fails=True))):
            root = folder / what.replace(" ", "-")
            root.mkdir()
            values = verdict_after_end(root, faults)
            held.append(line(f"verdict after the platform's end, {what}", values, "s", 0.5))
        took, size = a_million(folder / "million.sqlite3")
        held.append(line(f"a million records verified ({size} MB)", [took], "s", 15))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
