"""Claim: every gate but smoke answers about Raptor in under 2 s, as one process.

A copy of Raptor in a repository of its own is shipped to a platform of its own; COMMITS commits are
made on top, and the ledger gets earlier runs, so that the wave, the runway and the policy have
something to read. Whole processes are timed, interpreter start included: each gate alone, and all
of them with the wave. Beside them `python -c pass` and `git log` of the same stretch, as what
nothing in Python or over git can be quicker than.

    uv run python benchmarks/gates.py
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
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from truegreen.incidents.drills.service import find_service
from truegreen.ledger import Ledger
from truegreen.ship.stage import commit, copy_service
from truegreen.state import locate

ROUNDS = 5
COMMITS = 40
LIMIT = 2.0  # seconds
GATES = ("freeze", "scan", "migrations", "actions", "policy")


def timed(command: Sequence[str], folder: Path, *, codes: Sequence[int] = (0,)) -> list[float]:
    """Seconds of each of ROUNDS runs, after one that is not counted."""
    seconds = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        seconds.append(time.perf_counter() - began)
        if done.returncode not in codes:
            sys.exit(f"{' '.join(command)} exited {done.returncode}: {done.stderr}{done.stdout}")
    return seconds[1:]


def prepare(repository: Path) -> str:
    """Raptor with a history and a ledger; the commit that its wave begins at."""
    copy_service(find_service(None), repository)
    freeze = repository / "freeze.toml"  # Raptor's windows are those of its real production
    freeze.write_text(freeze.read_text().replace('environments = ["live"]\n', ""))
    base = commit(repository, "what serves")
    ship = [sys.executable, "-m", "truegreen", "ship", "--quiet", "--no-gates"]
    done = subprocess.run(ship, cwd=repository, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"ship exited {done.returncode}: {done.stderr}")
    for number in range(COMMITS):
        (repository / "raptor" / f"part_{number}.py").write_text(f"PART = {number}\n")
        commit(repository, f"Part {number} (#{100 + number})")
    with Ledger.open(locate(repository)) as ledger:
        for number in range(30):
            timings = {"release": 3.0, "total": 60.0 + number}
            body = {"timings": timings, "verdict": "green"}
            ledger.append("ship", app="raxx-api-prod", commit=base, verdict="green", body=body)
    return base


def ask(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "truegreen", "gate", *arguments]


def row(what: str, seconds: Sequence[float]) -> None:
    median, best, worst = statistics.median(seconds), min(seconds), max(seconds)
    print(f"| {what} | {median:.2f} s | {best:.2f} s | {worst:.2f} s |")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="truegreen-benchmark-") as folder:
        os.environ["TRUEGREEN_PLATFORM_DATA"] = str(Path(folder) / "platform")
        repository = Path(folder) / "raptor"
        try:
            measure(repository)
        finally:
            stop = [sys.executable, "-m", "truegreen", "platform", "stop"]
            subprocess.run(stop, cwd=repository, capture_output=True, check=False)


def measure(repository: Path) -> None:
    base = prepare(repository)
    print(
        f"truegreen {version('truegreen')}, Python {platform.python_version()}, "
        f"{os.cpu_count()} CPUs, median of {ROUNDS}; {COMMITS} commits since what serves"
    )
    print()
    print("| what | median | best | worst |")
    print("|---|---|---|---|")
    row("bare Python", timed([sys.executable, "-c", "pass"], repository))
    row("git log of the stretch", timed(["git", "log", f"{base}..HEAD"], repository))
    codes = (0, 3, 4)  # whatever a gate says, it has answered
    for name in GATES:
        row(f"gate {name}", timed(ask(name), repository, codes=codes))
    every = timed(ask(*GATES, "--wave"), repository, codes=codes)
    row("all gates but smoke, and the wave", every)
    done = subprocess.run(
        [*ask("--json", "--wave"), *GATES],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(done.stdout)
    print()
    for one in told["gates"]:
        print(f"{one['name']}: {one['status']}, {one['reason']}")
    print(f"wave: {len(told['wave']['prs'])} pull requests")
    median = statistics.median(every)
    print(f"claim: under {LIMIT:g} s; median {median:.2f}, worst {max(every):.2f}")
    if median >= LIMIT:
        sys.exit("The claim does not hold.")
    print("Holds.")


if __name__ == "__main__":
    main()
