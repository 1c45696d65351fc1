"""Claims: `truegreen --help` takes at most 60 ms, and what a `verify` imports at most 150 ms.

    python3 bootstrap.py python benchmarks/cli.py

Whole processes of the console script's interpreter, best and median of ROUNDS, beside a bare Python
and click's own floor (a group with one command). Judged by the best round: on a machine that is
shared, the others say how busy it was. Exits 1 when a claim does not hold.

What a `verify` imports is not a list of ours: Raptor is shipped to an embedded platform, verified,
and every module that this process had in the end is imported again. "for a
person" has the table on the terminal too; the claim is about pipelines, which read `--json`.
"""

from __future__ import annotations

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

ROUNDS = 15
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
CLICK = "import click\n@click.group()\ndef a(): pass\na(['--help'])"
HELP = "from truegreen.cli import main; import sys; sys.argv = ['truegreen', '--help']; main()"
# Runs a verify, then says what it had imported. One that is not green measures nothing.
RECORDED = """
import io, os, sys
before, real, sys.stdout = set(sys.modules), sys.stdout, io.StringIO()
from truegreen.cli import main
sys.argv = ["truegreen", "verify", *{arguments!r}]
try:
    main()
except SystemExit as end:
    if end.code:
        raise
there = [name for name, module in sys.modules.items() if module and name not in before]
print(*there, sep="\\n", file=real, flush=True)
"""
AGAIN = (
    "from importlib import import_module\n"
    "from truegreen.cli import collect_less; collect_less()\n"  # as the console script does
    "for name in {names!r}: import_module(name)"
)


def verified(*arguments: str) -> str:
    """Code that imports what ``truegreen verify`` with ``arguments`` imports."""
    done = subprocess.run(
        [sys.executable, "-c", RECORDED.format(arguments=arguments)],
        capture_output=True, text=True, check=False, env=ENVIRONMENT,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"verify did not end well: {done.stdout}{done.stderr}")
    names = done.stdout.split()
    # Ours first: sys.modules has a package behind what its __init__ imported.
    ours = [name for name in names if name.startswith("truegreen")]
    return AGAIN.format(names=ours + [name for name in names if name not in ours])


def imported() -> tuple[str, str]:
    """The code for ``--json``, and for a person, after a ship to a platform of its own."""
    with tempfile.TemporaryDirectory(prefix="truegreen-benchmark-") as folder:
        ENVIRONMENT["TRUEGREEN_PLATFORM_DATA"] = str(Path(folder) / "platform")
        repository = Path(folder) / "raptor"
        copy_service(find_service(None), repository)
        commit(repository, "first")
        try:
            truegreen("ship", str(repository), "--quiet")
            return verified(str(repository), "--json"), verified(str(repository))
        finally:
            truegreen("platform", "stop")


def truegreen(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "truegreen", *arguments],
        capture_output=True, text=True, check=False, env=ENVIRONMENT,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"truegreen {' '.join(arguments)}: {done.stdout}{done.stderr}")


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
    as_json, for_a_person = imported()
    rows: dict[str, tuple[str, float | None]] = {
        "bare Python": ("pass", None),
        "click, a group's help": (CLICK, None),
        "truegreen --help": (HELP, 60.0),
        "what verify --json imports": (as_json, 150.0),
        "what verify imports for a person": (for_a_person, None),
        "typer (peer), its import": ("import typer", None),
        "httpx (of verify's), with its command line": ("import httpx", None),
        "httpx, as verify imports it": ("import truegreen.light_httpx", None),
        "httpx and the httpcore that it loads": ("import truegreen.light_httpx, httpcore", None),
    }
    times: dict[str, list[float]] = {name: [] for name in rows}
    for code, _limit in rows.values():
        milliseconds(code)  # writes the bytecode, warms the disk's cache
    for _ in range(ROUNDS):
        for name, (code, _limit) in rows.items():  # in turn, so that all meet the same minute
            times[name].append(milliseconds(code))
    bare = min(times["bare Python"])
    python = platform.python_version()
    print(f"truegreen {version('truegreen')}, click {version('click')}, Python {python}\n")
    print("| what | best | median | above bare Python | limit | |")
    print("|---|---:|---:|---:|---:|---|")
    held = True
    for name, (_code, limit) in rows.items():
        best, median = min(times[name]), statistics.median(times[name])
        # An import is told without the interpreter that does it.
        judged = best - bare if name.startswith("what verify") else best
        told = ""
        if limit is not None:
            told = "holds" if judged <= limit else "FAILS"
            held &= judged <= limit
        row = f"{best:.0f} ms | {median:.0f} ms | {best - bare:.0f} ms"
        print(f"| {name} | {row} | {f'{limit:.0f} ms' if limit else ''} | {told} |")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
