"""kill -9 at every boundary of a step, and inside every step, on SQLite and on Postgres.

After the same command ran again: one build, one release, green, no lease left, a whole ledger. CI
kills at every boundary and around every request that changes something, every second time on the
one database and every second time on the other; TRUEGREEN_KILLS=all kills on both, and around every
request (about eight times as many).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from simulated_platform import APP, Server, SimulatedPlatform, Times
from simulated_world import CONFIG

from truegreen.ledger import Ledger
from truegreen.ship.leases import Leases
from truegreen.state import DATABASE_URL, locate

ALL = os.environ.get("TRUEGREEN_KILLS") == "all"
TIMES = Times(build=0.05, release=0.05, boot=0.02)
NOTHING = ["nowhere"]


class Matrix:
    """A repository, a platform on a port, and the process that forks ships."""

    def __init__(self, folder: Path, server: Server, environ: dict[str, str]) -> None:
        self.root = folder
        self.server = server
        self.environ = environ
        if not (folder / ".git").is_dir():
            self.git("init", "--quiet", "--initial-branch=main")
            (folder / "truegreen.toml").write_text(CONFIG)
            (folder / ".gitignore").write_text(".truegreen\n")
            self.git("add", "--all")
        scratch = folder / ".truegreen" / "tmp"  # what is killed cannot clear up after itself
        scratch.mkdir(parents=True, exist_ok=True)
        zygote = Path(__file__).with_name("kill_zygote.py")
        clean = {k: v for k, v in os.environ.items() if not k.startswith("TRUEGREEN")}
        self.zygote = subprocess.Popen(
            [sys.executable, str(zygote)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**clean, "TMPDIR": str(scratch)},
        )

    def git(self, *arguments: str) -> str:
        name = ("-c", "user.name=t", "-c", "user.email=t@example.com")
        done = subprocess.run(
            ["git", *name, *arguments], cwd=self.root, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def begin(self) -> str:
        """A fresh platform, and a commit that nobody shipped."""
        self.git("commit", "--quiet", "--allow-empty", "--message", "next")
        self.server.platform = SimulatedPlatform(self.server.base, times=TIMES)
        return self.git("rev-parse", "HEAD")

    def another(self, folder: Path, environ: dict[str, str]) -> Matrix:
        """Another machine: a clone, with a state of its own unless ``environ`` shares it."""
        self.git("clone", "--quiet", str(self.root), str(folder))
        return Matrix(folder, self.server, environ)

    def run(self, at: list[Any], *, wait: float | None = None) -> Any:
        assert self.zygote.stdin is not None
        assert self.zygote.stdout is not None
        told = {"root": str(self.root), "api": self.server.base, "environ": self.environ, "at": at,
                "wait": wait}  # fmt: skip
        self.zygote.stdin.write(json.dumps(told) + "\n")
        self.zygote.stdin.flush()
        return json.loads(self.zygote.stdout.readline())

    def points(self) -> Iterator[list[Any]]:
        """Every moment to be killed at, as a whole run shows them."""
        self.begin()
        whole = self.run(NOTHING)["result"]
        assert whole["verdict"] == "green", whole
        for name, state in dict.fromkeys(tuple(one) for one in whole["steps"]):
            yield ["step", name, state]
        for number, request in enumerate(whole["requests"]):
            if ALL or not request.startswith("GET "):
                yield ["before", number]
                yield ["after", number]

    def check(self, at: list[Any], commit: str, result: Any) -> None:
        platform = self.server.platform
        assert result["verdict"] == "green", (at, result)
        assert len(platform.builds) == 1, at
        assert len(platform.of(commit)) == 1, at
        location = locate(self.root, self.environ)
        leases = Leases.open(location)
        left = leases.look(f"{self.server.base}/apps/{APP}")
        leases.close()
        assert (left.lease, left.before) == (None, ()), at
        with Ledger.open(location) as ledger:
            assert ledger.verify().holds, at
            last = ledger.last(kind="ship")
        assert last is not None
        assert (last.commit, last.verdict) == (commit, "green"), at

    def close(self) -> None:
        assert self.zygote.stdin is not None
        self.zygote.stdin.close()
        self.zygote.wait(10)
        assert self.zygote.stdout is not None
        self.zygote.stdout.close()


@pytest.fixture(params=["sqlite", "postgres"])
def matrix(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Matrix]:
    environ = {}
    if request.param == "postgres":
        environ[DATABASE_URL] = request.getfixturevalue("postgres").url()
    with Server() as server:
        one = Matrix(tmp_path, server, environ)
        try:
            yield one
        finally:
            one.close()


@pytest.mark.timeout(600)
def test_a_kill_anywhere_is_gone_on_from(matrix: Matrix) -> None:
    remembered = 0
    points = list(matrix.points())
    assert len(points) > 20
    if not ALL:
        points = points[1 if DATABASE_URL in matrix.environ else 0 :: 2]
    for at in points:
        commit = matrix.begin()
        killed = matrix.run(at)
        assert killed == {"killed": True, "result": None}, (at, killed)
        again = matrix.run(NOTHING)
        matrix.check(at, commit, again["result"])
        remembered += any("gone on from" in note for note in again["result"]["notes"])
    print(f"{len(points)} kills, {remembered} of them gone on from memory")
    assert remembered > 2


@pytest.mark.parametrize("matrix", ["sqlite"], indirect=True)  # afterwards there is no database
def test_a_runner_that_is_thrown_away_is_rebuilt_from_the_platform(matrix: Matrix) -> None:
    """The state goes with the machine: the next one has the repository and nothing else."""
    boundaries = [at for at in matrix.points() if at[0] == "step"]
    for at in boundaries[:: 1 if ALL else 2]:
        commit = matrix.begin()
        assert matrix.run(at)["killed"]
        shutil.rmtree(matrix.root / ".truegreen", ignore_errors=True)
        matrix.environ = {}
        matrix.check(at, commit, matrix.run(NOTHING)["result"])


def test_two_at_once_are_one_after_the_other(matrix: Matrix, tmp_path: Path) -> None:
    """Two processes that share a database: one ships, the other is refused, or waits its turn."""
    other = Matrix(tmp_path, matrix.server, matrix.environ)
    try:
        for wait in (None, 60.0):
            commit = matrix.begin()
            with ThreadPoolExecutor(2) as pool:
                runs = [pool.submit(one.run, NOTHING, wait=wait) for one in (matrix, other)]
                results = [run.result()["result"] for run in runs]
            exits = sorted(result["exit"] for result in results)
            if wait is None:
                assert exits in ([0, 4], [0, 0]), results  # [0, 0]: they did not meet
                refused = [result["said"] for result in results if result["exit"] == 4]
                assert all("holds it until" in said for said in refused)
            else:
                assert exits == [0, 0], results
            green = next(result for result in results if result["exit"] == 0)
            matrix.check(["two", wait], commit, green)
    finally:
        other.close()


def test_two_machines_without_a_common_database_never_take_newer_code_back(
    matrix: Matrix, tmp_path: Path
) -> None:
    """The older job and the newer one begin at the same time, or one a little later."""
    seen: set[tuple[int, int]] = set()
    for number, (older_waits, newer_waits) in enumerate(((0, 0), (0, 0.15), (0.15, 0), (0.4, 0))):
        older_commit = matrix.begin()
        older = matrix.another(tmp_path / f"older-{number}", {})
        matrix.git("commit", "--quiet", "--allow-empty", "--message", "newer")
        newer_commit = matrix.git("rev-parse", "HEAD")
        try:
            with ThreadPoolExecutor(2) as pool:
                first = pool.submit(_later, older_waits, older)
                second = pool.submit(_later, newer_waits, matrix)
                one, two = first.result(), second.result()
        finally:
            older.close()
        seen.add((one["exit"], two["exit"]))
        assert {one["exit"], two["exit"]} <= {0, 1, 4}, (one, two)
        platform = matrix.server.platform
        assert len(platform.of(older_commit)) <= 1
        assert len(platform.of(newer_commit)) <= 1
        if two["exit"] == 0 and platform.current.commit == older_commit:
            assert one["exit"] == 1, "newer code was taken back, and nobody said so"
    assert seen


def _later(seconds: float, matrix: Matrix) -> Any:
    time.sleep(seconds)
    return matrix.run(NOTHING)["result"]


def test_three_kills_in_a_row_are_gone_on_from(matrix: Matrix) -> None:
    commit = matrix.begin()
    for at in (["step", "build", "running"], ["step", "release", "running"], ["step", "verify",
               "running"]):  # fmt: skip
        assert matrix.run(at)["killed"]
    matrix.check(["three"], commit, matrix.run(NOTHING)["result"])
