"""Claims: a sealed and recorded session costs at most 3 % and at most 50 ms over plain pytest on
500 small Flask tests; 100,000 different reads are kept in bounded memory.

Plain and sealed sessions take turns (ABBA…), PAIRS of them; whole processes are measured, start of
the interpreter included. In the plain ones not even the entry point of truegreen is loaded. The
claim is judged by the median of the paired differences of processor time (user and system),
because this machine does other things too; wall-clock time and the best of each are printed beside
it. What `prove` costs is in hermetic_prove.py.

    uv run --group bench python benchmarks/hermetic.py
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = 500
PAIRS = 20
READS = 100_000
RATIO, SECONDS, MEGABYTES = 1.03, 0.050, 32

APP = """\
import os
from flask import Flask, jsonify, request

def create_app():
    app = Flask(__name__)
    app.config["GUARD"] = os.environ.get("FLAG_GUARD", "0") == "1"
    app.config["PAGE"] = int(os.environ.get("FLAG_PAGE_SIZE", "50"))

    @app.before_request
    def guard():
        if app.config["GUARD"] and "X-Secret" not in request.headers:
            return jsonify(error="blocked"), 403

    @app.get("/items/<int:number>")
    def item(number):
        return jsonify(number=number, page=app.config["PAGE"])

    return app
"""
TEST = """\
import pytest
from app import create_app

@pytest.fixture
def client():
    return create_app().test_client()

@pytest.mark.parametrize("number", range({tests}))
def test_item(client, number):
    answer = client.get(f"/items/{{number}}")
    assert answer.status_code == 200
    assert answer.json == {{"number": number, "page": 50}}
"""
MEMORY = """\
import os

def rss():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

def test_reads():
    before = rss()
    for number in range({reads}):
        os.environ.get(f"VARIABLE_{{number}}")
    print(f"GREW {{rss() - before:.1f}}")
"""


def session(root: Path, test: str, *options: str) -> tuple[float, float, str]:
    """(processor seconds, wall-clock seconds, output) of one pytest process."""
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, test]
    env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    began, before = time.perf_counter(), os.times()
    done = subprocess.run(argv, cwd=root, env=env, capture_output=True, text=True, check=False)
    after = os.times()
    if done.returncode != 0:
        sys.exit(f"pytest exited {done.returncode}: {done.stdout}{done.stderr}")
    spent = after.children_user - before.children_user
    spent += after.children_system - before.children_system
    return spent, time.perf_counter() - began, done.stdout


def main() -> None:
    without, seal = ("-p", "no:truegreen"), ("-p", "truegreen.hermetic.plugin")
    with tempfile.TemporaryDirectory(prefix="truegreen-benchmark-") as folder:
        root = Path(folder)
        (root / "truegreen.toml").write_text('[smoke]\nleaks = "record"\n', encoding="utf-8")
        (root / "app.py").write_text(APP, encoding="utf-8")
        (root / "test_items.py").write_text(TEST.format(tests=TESTS), encoding="utf-8")
        (root / "test_reads.py").write_text(MEMORY.format(reads=READS), encoding="utf-8")
        for options in (without, seal):  # compiles what is compiled once
            session(root, "test_items.py", *options)
        plain, sealed = [], []
        for turn in range(PAIRS):
            pair = [(plain, without), (sealed, seal)]
            for kept, options in pair if turn % 2 else reversed(pair):
                kept.append(session(root, "test_items.py", *options)[:2])
        said = session(root, "test_reads.py", "-s", *seal)[2]
    grew = float(said.partition("GREW ")[2].split()[0])

    print(f"{TESTS} Flask tests, {PAIRS} pairs, Python {platform.python_version()}")
    print(f"{'':24}{'processor':>22}{'wall clock':>22}")
    print(f"{'':24}{'best':>11}{'median':>11}{'best':>11}{'median':>11}")
    for name, times in (("plain pytest", plain), ("sealed and recorded", sealed)):
        columns = [[one[index] for one in times] for index in (0, 1)]
        figures = [f(column) for column in columns for f in (min, statistics.median)]
        print(f"{name:24}" + "".join(f"{figure:9.3f} s" for figure in figures))
    paired = []
    for index, what in ((0, "processor"), (1, "wall clock")):
        pairs = [(one[index], two[index]) for one, two in zip(plain, sealed, strict=True)]
        more = statistics.median(two - one for one, two in pairs)
        ratio = statistics.median(two / one for one, two in pairs)
        best = min(two for _, two in pairs) - min(one for one, _ in pairs)
        paired.append((more, ratio))
        print(
            f"{what}: median of the pairs {more * 1000:+.0f} ms, {(ratio - 1) * 100:+.1f} %; "
            f"best against best {best * 1000:+.0f} ms"
        )
    more, ratio = paired[0]
    print(f"memory for {READS} different reads: {grew:.1f} MB")
    holds = ratio <= RATIO and more <= SECONDS
    print(f"at most 3 % and 50 ms (processor, pairs): {'holds' if holds else 'DOES NOT HOLD'}")
    print(f"memory at most {MEGABYTES} MB: {'holds' if grew <= MEGABYTES else 'DOES NOT HOLD'}")
    sys.exit(0 if holds and grew <= MEGABYTES else 1)


if __name__ == "__main__":
    main()
