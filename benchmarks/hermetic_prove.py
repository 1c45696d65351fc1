"""Claim: `hermetic prove` over 20 variables costs at most 3 times one plain run of the suite.

The suite: 500 small Flask tests, each of which makes its own app; `create_app` reads 20 flags that
nobody pins, one of which decides 25 of the tests. Three ways to find that one:

- `truegreen hermetic prove`, the whole process;
- pytest, run again for each variable and value (20 to 80 times; measured on SAMPLE of them);
- pytest-envvars, which sets variables at random and blames none: one run of it, if installed.

Each round measures a plain run before and after `prove`, and takes the ratio to their mean: the
machine's own load falls on both. Wall-clock time, since prove uses more than one processor. The
median decides. Exits 1 when the claim does not hold.

    uv run --group bench python benchmarks/hermetic_prove.py
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VARIABLES = 20
TESTS = 500
ROUNDS = 7
SAMPLE = 1
LIMIT = 3.0  # times one plain run
VALUES = ("1", "0")  # of a declared bool that is absent

APP = f"""\
import os
from flask import Flask, jsonify

NAMES = [f"FLAG_{{n}}" for n in range({VARIABLES})]

def create_app():
    app = Flask("bench")
    flags = {{name: os.environ.get(name) == "1" for name in NAMES}}

    @app.get("/<int:n>")
    def show(n):
        if flags["FLAG_7"] and n % 20 == 0:
            return jsonify(error="blocked"), 403
        return jsonify(n=n)

    return app
"""
SUITE = f"""\
import pytest
from app import create_app

@pytest.mark.parametrize("n", range({TESTS}))
def test_shown(n):
    with create_app().test_client() as client:
        assert client.get(f"/{{n}}").status_code == 200
"""
CONFIG = (
    '[service]\nname = "bench"\n[smoke]\npaths = ["test_bench.py"]\nleaks = "record"\n'
    + "".join(f'[flags.FLAG_{n}]\ntype = "bool"\ndefault = false\n' for n in range(VARIABLES))
)


def seconds(root: Path, argv: list[str], code: int, **environ: str) -> float:
    """How long a whole process takes that has to exit with ``code``."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", *argv],
        cwd=root,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.monotonic() - began
    if done.returncode != code:
        sys.exit(f"{argv[0]} exited {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    if argv[0] == "truegreen":
        (leak,) = json.loads(done.stdout)["leaks"]
        if leak["variable"] != "FLAG_7" or len(leak["tests"]) != TESTS / 20:
            sys.exit(f"prove blames {leak['variable']} for {len(leak['tests'])} tests")
    return took


def main() -> int:
    plain_argv = ["pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "test_bench.py"]
    cases = VARIABLES * len(VALUES)
    ratios: dict[str, list[float]] = {}
    plains: list[float] = []
    with tempfile.TemporaryDirectory(prefix="truegreen-benchmark-") as name:
        root = Path(name)
        (root / "app.py").write_text(APP)
        (root / "test_bench.py").write_text(SUITE)
        (root / "truegreen.toml").write_text(CONFIG)
        (root / "pytest.ini").write_text("[pytest]\n")
        seconds(root, plain_argv, 0)  # writes the .pyc files
        for _ in range(ROUNDS):
            before = seconds(root, plain_argv, 0)
            prove = seconds(root, ["truegreen", "hermetic", "prove", "--json"], 1)
            after = seconds(root, plain_argv, 0)
            plain = (before + after) / 2
            plains += [before, after]
            rerun = [seconds(root, plain_argv, 0, FLAG_1=VALUES[n % 2]) for n in range(SAMPLE)]
            ratios.setdefault("truegreen hermetic prove", []).append(prove / plain)
            ratios.setdefault(f"pytest again for each of {cases} cases", []).append(
                statistics.mean(rerun) * cases / plain
            )
            if importlib.util.find_spec("pytest_envvars"):
                (root / "pytest.ini").write_text("[pytest]\npytest_envvars__env_files =\n    env\n")
                (root / "env").write_text("".join(f"FLAG_{n}=0\n" for n in range(VARIABLES)))
                one = seconds(root, plain_argv, 0)
                (root / "pytest.ini").write_text("[pytest]\n")
                ratios.setdefault("pytest-envvars, one random run", []).append(one / plain)
    print(f"{TESTS} Flask tests, {VARIABLES} variables; plain run: {min(plains):.2f} s (best)")
    print(f"{'':44} {'median':>8} {'best':>8}   times one plain run")
    for what, measured in ratios.items():
        print(f"{what:44} {statistics.median(measured):8.2f} {min(measured):8.2f}")
    holds = statistics.median(ratios["truegreen hermetic prove"]) <= LIMIT
    said = "holds" if holds else "DOES NOT HOLD"
    print(f"claim (at most {LIMIT:g} times, median of {ROUNDS} rounds): {said}")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
