"""Claims: `truegreen --help` takes at most 60 ms, and what `verify` imports at most 150 ms.

    python3 bootstrap.py python benchmarks/cli.py

Whole processes of the console script's interpreter, best and median of ROUNDS, beside a bare Python
and click's own floor (a group with one command). Judged by the best round: on a machine that is
shared, the others say how busy it was. Exits 1 when a claim does not hold.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version

ROUNDS = 15
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
CLICK = "import click\n@click.group()\ndef a(): pass\na(['--help'])"
HELP = "from truegreen.cli import main; import sys; sys.argv = ['truegreen', '--help']; main()"
VERIFY = (
    "import truegreen.cli.verify, truegreen.ship.verification, truegreen.ledger, "
    "truegreen.outputs.document, truegreen.outputs.table, truegreen.ship.target"
)
ROWS = {
    "bare Python": ("pass", None),
    "click, a group's help": (CLICK, None),
    "truegreen --help": (HELP, 60.0),
    "what verify imports": (VERIFY, 150.0),
    "typer (peer), its import": ("import typer", None),
    "httpx (of verify's), its import": ("import httpx", None),
}


def milliseconds(code: str) -> float:
    """The wall time of one interpreter that runs ``code``."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, env=ENVIRONMENT
    )
    took = (time.perf_counter() - began) * 1e3
    if b"Traceback" in done.stderr:
        sys.exit(done.stderr.decode())
    return took


def main() -> int:
    times: dict[str, list[float]] = {name: [] for name in ROWS}
    for code, _limit in ROWS.values():
        milliseconds(code)  # writes the bytecode, warms the disk's cache
    for _ in range(ROUNDS):
        for name, (code, _limit) in ROWS.items():  # in turn, so that all meet the same minute
            times[name].append(milliseconds(code))
    bare = min(times["bare Python"])
    python = platform.python_version()
    print(f"truegreen {version('truegreen')}, click {version('click')}, Python {python}\n")
    print("| what | best | median | above bare Python | limit | |")
    print("|---|---:|---:|---:|---:|---|")
    held = True
    for name, (_code, limit) in ROWS.items():
        best, median = min(times[name]), statistics.median(times[name])
        # An import is told without the interpreter that does it.
        judged = best - bare if name == "what verify imports" else best
        told = ""
        if limit is not None:
            told = "holds" if judged <= limit else "FAILS"
            held &= judged <= limit
        row = f"{best:.0f} ms | {median:.0f} ms | {best - bare:.0f} ms"
        print(f"| {name} | {row} | {f'{limit:.0f} ms' if limit else ''} | {told} |")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
