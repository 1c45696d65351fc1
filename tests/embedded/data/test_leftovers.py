"""The next start ends what a killed platform left, and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from truegreen.embedded.leftovers import Leftovers, group_alive

FILE = "processes.json"

PLATFORM = """
import asyncio, os, sys
from pathlib import Path
from truegreen.embedded.dynos import DynoManager, DynoPlan
async def main():
    folder = Path(sys.argv[1])
    dynos = DynoManager(data=folder, log=lambda *line: None)
    await dynos.apply("shop", [DynoPlan("shop", "worker", n, sys.argv[2], "r", 1, folder,
                                        {"PATH": os.environ["PATH"]}) for n in (1, 2)])
    print(*[d.pid for d in dynos.states()], flush=True)
    await asyncio.sleep(300)
asyncio.run(main())
"""


class Orphans:
    """Two dynos a call, whose platform was killed with SIGKILL."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.pids: list[int] = []

    def of(self, command: str) -> list[int]:
        platform = subprocess.Popen(
            [sys.executable, "-c", PLATFORM, str(self._folder), command],
            stdout=subprocess.PIPE,
            text=True,
        )
        with platform:
            assert platform.stdout
            pids = [int(pid) for pid in platform.stdout.readline().split()]
            platform.kill()
        self.pids += pids
        return pids


@pytest.fixture
def orphans(tmp_path: Path) -> Iterator[Orphans]:
    made = Orphans(tmp_path)
    yield made
    for pid in made.pids:  # only when the test failed: they are in groups that we have seen start
        if group_alive(pid):
            os.killpg(pid, signal.SIGKILL)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "300"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def gone(pids: list[int]) -> bool:
    until = time.monotonic() + 30
    while any(group_alive(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.02)
    return not any(group_alive(pid) for pid in pids)


def test_dynos_orphaned_by_kill_9_are_ended_by_the_next_start(
    tmp_path: Path, orphans: Orphans
) -> None:
    pids = orphans.of("trap '' TERM; sleep 300 & while :; do wait; sleep 0.1; done")
    assert len(pids) == 2
    assert all(group_alive(pid) for pid in pids)
    found = asyncio.run(Leftovers(tmp_path / FILE).reap(grace=0.2))
    assert sorted(found) == sorted(pids)
    assert gone(pids)
    assert asyncio.run(Leftovers(tmp_path / FILE).reap()) == []


def test_a_group_whose_leader_died_is_ended_too(tmp_path: Path, orphans: Orphans) -> None:
    pids = orphans.of("sleep 300 & touch forked.$$; wait")
    while len(list(tmp_path.glob("forked.*"))) < 2:
        time.sleep(0.02)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < until:
        time.sleep(0.02)  # until init has buried them
    assert all(group_alive(pid) for pid in pids)
    asyncio.run(Leftovers(tmp_path / FILE).reap(grace=5))
    assert gone(pids)


def test_a_foreign_process_with_the_same_pid_is_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    record = Leftovers(tmp_path / FILE)
    record.add(sleeper.pid, tmp_path)
    (mark,) = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps([mark | {"start": "1"}]))
    assert asyncio.run(Leftovers(tmp_path / FILE).reap(grace=0.1)) == []
    assert sleeper.poll() is None


def test_a_record_of_another_boot_or_container_is_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    Leftovers(tmp_path / FILE).add(sleeper.pid, tmp_path)
    (mark,) = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps([mark | {"where": "elsewhere"}]))
    assert asyncio.run(Leftovers(tmp_path / FILE).reap(grace=0.1)) == []
    assert sleeper.poll() is None


def test_a_leaderless_group_that_works_elsewhere_is_left_alone(tmp_path: Path) -> None:
    daemon = subprocess.Popen(
        ["sh", "-c", "sleep 300 & echo $!"],
        cwd="/",
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert daemon.stdout
    with daemon:
        child = int(daemon.stdout.readline())
        record = Leftovers(tmp_path / FILE)
        record.add(daemon.pid, tmp_path)
    try:
        if not (tmp_path / FILE).exists():  # its leader was gone before we looked
            pytest.fail("the leader must be noted")
        assert asyncio.run(Leftovers(tmp_path / FILE).reap(grace=0.1)) == []
        assert group_alive(daemon.pid)
    finally:
        os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[1]", '[{"pid": "x"}]', '[{"pid": 1, "start": "", "where": "", "cwd": ""}]'],
)
def test_a_damaged_record_is_an_empty_one(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    assert asyncio.run(Leftovers(tmp_path / FILE).reap()) == []


def test_what_is_noted_now_is_not_reaped(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    record = Leftovers(tmp_path / FILE)
    record.add(sleeper.pid, tmp_path)
    assert asyncio.run(record.reap(grace=0.1)) == []
    assert sleeper.poll() is None
    assert len(json.loads((tmp_path / FILE).read_text())) == 1
    record.discard(sleeper.pid)
    assert json.loads((tmp_path / FILE).read_text()) == []
