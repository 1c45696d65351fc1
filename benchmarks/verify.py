"""Claims: a healthy verify on the embedded platform takes at most 12 API calls and 0.4 s, and is at
least 5 times as fast as a script that gets the same facts from Heroku's own CLI.

    TRUEGREEN_HEROKU_CLI="$(.ci/heroku-cli)" python3 bootstrap.py python benchmarks/verify.py

Ships Raptor to a platform of its own first. The script asks what the CLI can tell of the same
checks: releases --json, releases:info, ps --json, config --json, and curl for /health through the
edge and past it; it judges nothing. Best and median of ROUNDS, in turn. Exits 1 when a claim does
not hold, 3 when there is no Heroku CLI to measure beside.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from truegreen.config import load_config
from truegreen.incidents.drills.service import find_service
from truegreen.ship.source import read_source
from truegreen.ship.stage import commit, copy_service
from truegreen.ship.target import choose_environment, find_target
from truegreen.ship.verification import ask, question_for

ROUNDS = 7
CALLS, SECONDS, FASTER = 12, 0.4, 5.0


def truegreen(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "truegreen", *arguments], capture_output=True, text=True, check=False
    )


def in_process(repository: Path) -> tuple[float, int]:
    """(seconds, API calls) of one verification, imports done."""
    config = load_config(repository)
    environment = choose_environment(config, None)
    target = find_target(config, environment, None, start=False)
    began = time.perf_counter()
    with target.client(patience=10.0) as client:
        question = question_for(config, environment, commit=read_source(repository).commit)
        verification = ask(question, client)
        took, calls = time.perf_counter() - began, client.calls
    if verification.verdict != "green":
        sys.exit(f"verify is {verification.verdict}: {verification.sentence}")
    return took, calls


def whole(repository: Path) -> float:
    """Seconds of `truegreen verify` as a process."""
    began = time.perf_counter()
    done = truegreen("verify", str(repository), "--quiet")
    if done.returncode:
        sys.exit(done.stderr)
    return time.perf_counter() - began


def script(cli: str, app: dict[str, Any], home: Path, env: dict[str, str]) -> float:
    """Seconds that the same facts take through Heroku's CLI, one command after the other."""
    name = app["name"]
    commands = [
        [cli, "releases", "--json", "--app", name],
        [cli, "releases:info", "--json", "--app", name],
        [cli, "ps", "--json", "--app", name],
        [cli, "config", "--json", "--app", name],
        *[["curl", "-fsS", "-o", "/dev/null", f"{app['edge_url']}health"] for _ in range(5)],
        ["curl", "-sS", "-o", "/dev/null", app["web_url"]],
    ]
    began = time.perf_counter()
    for command in commands:
        done = subprocess.run(
            command, env={**env, "HOME": str(home)}, capture_output=True, text=True, check=False
        )
        if done.returncode and command[0] == cli:
            sys.exit(f"{' '.join(command)}: {done.stderr}")
    return time.perf_counter() - began


def heroku_environment() -> dict[str, str]:
    """What `truegreen platform env` prints, and the PATH."""
    lines = truegreen("platform", "env").stdout.splitlines()
    exports = [line.removeprefix("export ") for line in lines if "=" in line]
    found = {key: value.strip("'\"") for key, _, value in (one.partition("=") for one in exports)}
    return {"PATH": os.environ["PATH"], **found}


def main() -> int:
    cli = os.environ.get("TRUEGREEN_HEROKU_CLI", "")
    if not cli or shutil.which("curl") is None:
        print("no Heroku CLI (TRUEGREEN_HEROKU_CLI) or no curl to measure beside", file=sys.stderr)
        return 3
    with tempfile.TemporaryDirectory(prefix="truegreen-benchmark-") as folder:
        os.environ["TRUEGREEN_PLATFORM_DATA"] = str(Path(folder) / "platform")
        repository, home = Path(folder) / "raptor", Path(folder) / "home"
        home.mkdir()
        copy_service(find_service(None), repository)
        commit(repository, "first")
        try:
            shipped = truegreen("ship", str(repository), "--json")
            if shipped.returncode:
                sys.exit(shipped.stderr)
            config = load_config(repository)
            target = find_target(config, choose_environment(config, None), None, start=False)
            with target.client() as client:
                app = client.app(target.app)
            place = {"name": app.name, "web_url": app.web_url, "edge_url": app.edge_url}
            env = heroku_environment()
            inside, outside, peer, calls = [], [], [], 0
            in_process(repository)
            for _ in range(ROUNDS):
                took, calls = in_process(repository)
                inside.append(took)
                outside.append(whole(repository))
                peer.append(script(cli, place, home, env))
        finally:
            truegreen("platform", "stop")
    told = subprocess.run([cli, "--version"], capture_output=True, text=True, check=False).stdout
    print(f"truegreen {version('truegreen')} beside {told.strip()}\n")
    print("| what | best | median |\n|---|---:|---:|")
    for name, times in (
        ("verify, in process", inside),
        ("truegreen verify, whole process", outside),
        ("the CLI in a script", peer),
    ):
        print(f"| {name} | {min(times):.3f} s | {statistics.median(times):.3f} s |")
    ratio = statistics.median(p / o for p, o in zip(peer, outside, strict=True))
    claims = [
        (f"{calls} API calls", calls <= CALLS, f"<= {CALLS}"),
        (f"{min(inside):.3f} s in process", min(inside) <= SECONDS, f"<= {SECONDS} s"),
        (f"{ratio:.1f} times as fast, whole processes", ratio >= FASTER, f">= {FASTER:.0f}"),
    ]
    print()
    for text, holds, limit in claims:
        print(f"{'holds' if holds else 'FAILS'}: {text} ({limit})")
    print(json.dumps({"calls": calls, "ratio": round(ratio, 2)}))
    return 0 if all(holds for _, holds, _ in claims) else 1


if __name__ == "__main__":
    sys.exit(main())
