"""A command's whole process group is gone at return, whatever the command does."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from truegreen.embedded.leftovers import group_alive
from truegreen.embedded.process import ExitResult, ProcessSpec, run_to_end

PATH = os.environ["PATH"]


class Run:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = bytearray()
        self.pid = 0

    def started(self, pid: int) -> None:
        self.pid = pid

    async def to_end(self, command: str, deadline: float = 60, grace: float = 10) -> ExitResult:
        return await run_to_end(
            ProcessSpec(command, self.folder, {"PATH": PATH, "ONLY": "this"}),
            on_output=self.output.extend,
            deadline=deadline,
            grace=grace,
            on_start=self.started,
        )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_status_output_and_folder_are_the_commands_own(run: Run) -> None:
    result = asyncio.run(run.to_end("echo out; echo err >&2; pwd; exit 7"))
    assert (result.code, result.timed_out) == (7, False)
    assert run.output.decode().split() == ["out", "err", str(run.folder)]


def test_nothing_of_our_environment_reaches_the_command(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPERATORS_SECRET", "x")
    asyncio.run(run.to_end("env"))
    names = {line.partition("=")[0] for line in run.output.decode().splitlines()}
    assert {"ONLY", "PATH"} <= names
    assert names <= {"ONLY", "PATH", "PWD", "SHLVL", "OLDPWD", "_"}  # the shell's own


def test_a_signal_is_told_as_128_and_its_number(run: Run) -> None:
    assert asyncio.run(run.to_end("kill -9 $$")).code == 137


def test_deadline_ends_a_command_that_ignores_sigterm(run: Run) -> None:
    command = "trap '' TERM; echo ready; while :; do sleep 0.1; done"
    result = asyncio.run(run.to_end(command, deadline=0.5, grace=0.3))
    assert (result.code, result.timed_out) == (None, True)
    assert not group_alive(run.pid)


def test_a_grandchild_in_the_group_does_not_survive(run: Run) -> None:
    result = asyncio.run(run.to_end("sleep 300 & echo $!; exit 0"))
    assert result.code == 0
    assert result.seconds < 60
    assert not group_alive(run.pid)
    with pytest.raises(ProcessLookupError):
        os.kill(_running(int(run.output)), 0)


def _running(pid: int) -> int:
    """The pid, or one that cannot exist when it is only a zombie that init has not buried yet."""
    stat = Path(f"/proc/{pid}/stat")
    zombie = stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"
    return 2**22 + 1 if zombie else pid


def test_output_held_open_outside_the_group_does_not_hang(run: Run) -> None:
    began = time.monotonic()
    result = asyncio.run(run.to_end("setsid sh -c 'echo $$; sleep 300' & sleep 0.5; echo done"))
    try:
        assert result.code == 0
        assert b"done" in run.output
        assert time.monotonic() - began < 60
    finally:
        os.killpg(int(run.output.split()[0]), 9)


def test_cancelled_means_gone(run: Run) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(run.to_end("trap '' TERM; sleep 300 & wait; wait", grace=0.2))
        while not run.pid:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.sleep(0.05)
        task.cancel()  # a second Ctrl-C must not let go of it
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not group_alive(run.pid)

    asyncio.run(cancelled())


def test_cancelled_twice_it_still_gets_its_grace(run: Run) -> None:
    async def cancelled() -> None:
        command = "trap 'sleep 0.4; echo bye; exit' TERM; echo ready; while :; do sleep 0.05; done"
        task = asyncio.create_task(run.to_end(command, grace=30))
        while b"ready" not in run.output or not run.pid:
            await asyncio.sleep(0.01)
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0.05)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert b"bye" in run.output

    asyncio.run(cancelled())


def test_cancelled_while_it_is_being_spawned_leaves_nothing(run: Run) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(run.to_end("echo $$ > pid; sleep 300"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        file = run.folder / "pid"
        if file.exists() and file.read_text().strip():
            assert not group_alive(int(file.read_text()))

    asyncio.run(cancelled())


def test_a_hundred_megabytes_arrive_whole(run: Run) -> None:
    count = 0

    def counted(data: bytes) -> None:
        nonlocal count
        count += len(data)

    async def flood() -> ExitResult:
        spec = ProcessSpec("head -c 100000000 /dev/zero", run.folder, {"PATH": PATH})
        return await run_to_end(spec, on_output=counted, deadline=100)

    assert asyncio.run(flood()).code == 0
    assert count == 100_000_000


def test_what_the_reader_of_the_output_raises_ends_the_command(run: Run) -> None:
    def full(data: bytes) -> None:
        raise OSError("disk full")

    async def failing() -> None:
        spec = ProcessSpec("echo x; sleep 300", run.folder, {"PATH": PATH})
        await run_to_end(spec, on_output=full, deadline=100, on_start=run.started)

    with pytest.raises(OSError, match="disk full"):
        asyncio.run(failing())
    assert not group_alive(run.pid)


def test_a_folder_that_is_gone_is_an_error_not_a_result(run: Run) -> None:
    run.folder = run.folder / "gone"
    with pytest.raises(FileNotFoundError):
        asyncio.run(run.to_end("true"))


def test_the_environment_is_in_no_repr(tmp_path: Path) -> None:
    assert "hunter2" not in repr(ProcessSpec("true", tmp_path, {"PASSWORD": "hunter2"}))
