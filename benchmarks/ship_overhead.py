"""Claim: from `ship` to the verdict, TrueGreen takes under 1.5 s beyond what build, release command
and boot take.

Ships Raptor to a platform of its own: a first time, then ROUNDS new commits, then the same commit
again. Whole processes are timed, interpreter start included; what the platform spent on build,
release command and boot is read from ship's own document and taken off. Prints a table.

    python3 bootstrap.py python benchmarks/ship_overhead.py
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from truegreen.incidents.drills.service import find_service
from truegreen.ship.stage import commit, copy_service

ROUNDS = 5
LIMIT = 1.5  # seconds
SPENT_BY_THE_PLATFORM = ("build", "release", "boot")


def ship(repository: Path) -> tuple[float, dict[str, float]]:
    """(seconds of the whole process, ship's own timings)."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "truegreen", "ship", str(repository), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.monotonic() - began
    if done.returncode != 0:
        sys.exit(f"ship exited {done.returncode}: {done.stderr}\n{done.stdout}")
    timings: dict[str, float] = json.loads(done.stdout)["timings"]
    return wall, timings


def overhead(wall: float, timings: dict[str, float]) -> float:
    return wall - sum(timings.get(name, 0.0) for name in SPENT_BY_THE_PLATFORM)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="truegreen-benchmark-") as folder:
        os.environ["TRUEGREEN_PLATFORM_DATA"] = str(Path(folder) / "platform")
        repository = Path(folder) / "raptor"
        copy_service(find_service(None), repository)
        commit(repository, "first")
        try:
            first = ship(repository)
            rounds = []
            for number in range(ROUNDS):
                (repository / "round.txt").write_text(f"{number}\n", encoding="utf-8")
                commit(repository, f"round {number}")
                rounds.append(ship(repository))
            again = [ship(repository) for _ in range(ROUNDS)]
        finally:
            stop = [sys.executable, "-m", "truegreen", "platform", "stop"]
            subprocess.run(stop, capture_output=True, check=False)
    beyond = [overhead(*one) for one in rounds]
    print(
        f"truegreen {version('truegreen')}, Python {platform.python_version()}, median of {ROUNDS}"
    )
    print()
    print("| what | whole process | build + release + boot | beyond that |")
    print("|---|---|---|---|")
    row("first ship (platform and Postgres start)", [first])
    row("a new commit", rounds)
    row("the same commit again", again)
    print()
    print(
        "a new commit, by step: "
        + ", ".join(
            f"{name} {statistics.median(t.get(name, 0.0) for _, t in rounds):.2f} s"
            for name in rounds[0][1]
        )
    )
    worst = max(beyond)
    print(
        f"claim: under {LIMIT} s beyond; median {statistics.median(beyond):.2f}, worst {worst:.2f}"
    )
    if statistics.median(beyond) >= LIMIT:
        sys.exit(1)


def row(name: str, runs: list[tuple[float, dict[str, float]]]) -> None:
    wall = statistics.median(wall for wall, _ in runs)
    beyond = statistics.median(overhead(*one) for one in runs)
    print(f"| {name} | {wall:.2f} s | {wall - beyond:.2f} s | {beyond:.2f} s |")


if __name__ == "__main__":
    main()
