"""What `apply` asks for is what runs, and a dyno's state is what its process does."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from truegreen.embedded.dynos import DynoManager, DynoPlan, DynoSettings, DynoState
from truegreen.embedded.leftovers import group_alive

SERVER = (
    "import os,socket,sys,time\n"
    "time.sleep(float(os.environ.get('BOOT_DELAY','0')))\n"
    "s=socket.create_server(('127.0.0.1',int(os.environ['PORT'])))\n"
    "print('listening',flush=True)\n"
    "while True:\n c,_=s.accept(); c.close()\n"
)
WEB = f"{shlex.quote(sys.executable)} -c {shlex.quote(SERVER)}"
NEVER_BINDS = "sleep 300"
SLOW = 60.0


class Stage:
    def __init__(self, folder: Path, settings: DynoSettings) -> None:
        self.folder = folder
        self.lines: list[tuple[str, str, str]] = []
        self.changes: list[tuple[str, str, int, str]] = []
        self.dynos = DynoManager(
            data=folder, settings=settings, log=lambda *line: self.lines.append(line),
            changed=lambda action, dyno: self.changes.append(
                (action, dyno.name, dyno.release_version, dyno.state)
            ),
        )  # fmt: skip

    def plan(self, command: str, kind: str = "web", number: int = 1, release: int = 1) -> DynoPlan:
        return DynoPlan(
            app="shop",
            type=kind,
            number=number,
            command=command,
            release_id=f"r{release}",
            release_version=release,
            slug_dir=self.folder,
            env={"PATH": os.environ["PATH"]},
        )

    def one(self) -> DynoState:
        (state,) = self.dynos.states("shop")
        return state

    async def until(self, holds: Callable[[DynoState], bool], seconds: float = SLOW) -> DynoState:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            states = self.dynos.states("shop")
            if len(states) == 1 and holds(states[0]):
                return states[0]
            await asyncio.sleep(0.01)
        raise AssertionError(f"not within {seconds} s: {self.dynos.states()} {self.lines}")

    async def until_up(self) -> DynoState:
        return await self.until(lambda s: s.state == "up")


@asynccontextmanager
async def stage(folder: Path, **settings: float) -> AsyncIterator[Stage]:
    made = Stage(folder, DynoSettings(**settings))
    try:
        yield made
    finally:
        await made.dynos.close()


def go(body: Callable[[], object]) -> None:
    asyncio.run(body())  # type: ignore[arg-type]


def test_a_web_dyno_is_up_when_it_accepts_and_not_before(tmp_path: Path) -> None:
    async def body() -> None:
        async with stage(tmp_path) as s:
            plan = s.plan(WEB)
            await s.dynos.apply("shop", [replace(plan, env={**plan.env, "BOOT_DELAY": "0.4"})])
            starting = s.one()
            assert (starting.state, starting.name) == ("starting", "web.1")
            assert starting.pid is not None
            up = await s.until_up()
            assert up.port
            _, writer = await asyncio.open_connection("127.0.0.1", up.port)
            writer.close()
            await writer.wait_closed()
            assert ("shop", "web.1", "listening") in s.lines
            assert up.created_at.utcoffset() is not None
            pid = up.pid
        assert pid
        assert not group_alive(pid)

    go(body)


def test_a_worker_is_up_as_soon_as_it_runs_and_gets_no_port(tmp_path: Path) -> None:
    async def body() -> None:
        async with stage(tmp_path) as s:
            await s.dynos.apply("shop", [s.plan("echo port=$PORT; sleep 300", "worker")])
            assert (await s.until_up()).port is None
            while not s.lines or ("shop", "worker.1", "port=") not in s.lines:
                await asyncio.sleep(0.01)

    go(body)


def test_one_that_never_binds_is_r10_and_crashed(tmp_path: Path) -> None:
    async def body() -> None:
        async with stage(tmp_path, boot_timeout=0.3) as s:
            await s.dynos.apply("shop", [s.plan(NEVER_BINDS)])
            pid = s.one().pid
            crashed = await s.until(lambda d: d.state == "crashed")
            assert "R10" in crashed.reason
            assert crashed.pid is None
            assert pid
            while group_alive(pid):
                await asyncio.sleep(0.01)

    go(body)


def test_killed_from_outside_is_crashed_at_once_with_its_whole_group(tmp_path: Path) -> None:
    async def body() -> None:
        async with stage(tmp_path) as s:
            await s.dynos.apply("shop", [s.plan(f"sleep 300 & {WEB}")])
            pid = (await s.until_up()).pid
            assert pid
            os.kill(pid, 9)
            killed = time.monotonic()
            crashed = await s.until(lambda d: d.state == "crashed")
            assert time.monotonic() - killed < 1.0  # 0.2 s on a machine that is not busy
            assert "137" in crashed.reason
            while group_alive(pid):
                await asyncio.sleep(0.01)

    go(body)


def test_a_crashed_dyno_comes_back_with_growing_pauses(tmp_path: Path) -> None:
    async def body() -> None:
        async with stage(tmp_path, restart_first=0.1, restart_max=0.4) as s:
            await s.dynos.apply("shop", [s.plan("exit 3", "worker")])
            end = time.monotonic() + SLOW
            pauses: list[str] = []
            while len(pauses) < 4 and time.monotonic() < end:
                await asyncio.sleep(0.02)
                pauses = [x[2].split("next start in ")[1] for x in s.lines if "next" in x[2]]
            assert pauses[:4] == ["0.1 s", "0.2 s", "0.4 s", "0.4 s"]

    go(body)


def test_the_pause_starts_anew_after_it_was_up_for_a_while(tmp_path: Path) -> None:
    async def body() -> None:
        async with stage(tmp_path, restart_first=0.1, restart_reset=0.2) as s:
            await s.dynos.apply("shop", [s.plan("sleep 0.5; exit 3", "worker")])
            end = time.monotonic() + SLOW
            pauses: list[str] = []
            while len(pauses) < 3 and time.monotonic() < end:
                await asyncio.sleep(0.02)
                pauses = [x[2].split("next start in ")[1] for x in s.lines if "next" in x[2]]
            assert pauses[:3] == ["0.1 s"] * 3

    go(body)


def test_a_new_release_replaces_and_the_same_one_is_left_alone(tmp_path: Path) -> None:
    async def body() -> None:
        async with stage(tmp_path) as s:
            await s.dynos.apply("shop", [s.plan(WEB)])
            first = await s.until_up()
            await s.dynos.apply("shop", [s.plan(WEB)])
            assert s.one() == first
            await s.dynos.apply("shop", [s.plan(WEB, release=2)])
            assert s.one().release_version == 2
            assert s.one().id != first.id
            second = await s.until_up()
            assert first.pid
            while group_alive(first.pid):
                await asyncio.sleep(0.01)
            await s.dynos.apply("shop", [])
            assert s.dynos.states() == []
            assert second.pid
            while group_alive(second.pid):
                await asyncio.sleep(0.01)

    go(body)


def test_a_dyno_that_ignores_sigterm_gets_sigkill_after_the_grace(tmp_path: Path) -> None:
    async def body() -> None:
        async with stage(tmp_path, stop_grace=0.3) as s:
            stubborn = "trap '' TERM; echo ready; while :; do sleep 0.1; done"
            await s.dynos.apply("shop", [s.plan(stubborn, "worker")])
            pid = (await s.until_up()).pid
            while ("shop", "worker.1", "ready") not in s.lines:
                await asyncio.sleep(0.01)
            await s.dynos.forget("shop")
            assert pid
            assert not group_alive(pid)
            assert any("R12" in line[2] for line in s.lines)

    go(body)


def test_stop_leaves_it_listed_as_down_until_it_is_restarted(tmp_path: Path) -> None:
    async def body() -> None:
        async with stage(tmp_path) as s:
            await s.dynos.apply("shop", [s.plan(WEB)])
            pid = (await s.until_up()).pid
            await s.dynos.stop_dyno("shop", "web.1")
            assert s.one().state == "down"
            assert pid
            assert not group_alive(pid)
            await s.dynos.restart("shop")
            await s.until_up()
            with pytest.raises(KeyError):
                await s.dynos.restart("shop", "web.9")

    go(body)


def test_a_folder_that_is_gone_is_a_crash_with_its_reason(tmp_path: Path) -> None:
    async def body() -> None:
        async with stage(tmp_path) as s:
            await s.dynos.apply("shop", [replace(s.plan(WEB), slug_dir=tmp_path / "gone")])
            assert s.one().state == "crashed"
            assert "gone" in s.one().reason

    go(body)


def test_nothing_is_started_after_close(tmp_path: Path) -> None:
    async def body() -> None:
        async with stage(tmp_path) as s:
            await s.dynos.close()
            with pytest.raises(RuntimeError):
                await s.dynos.apply("shop", [s.plan(WEB)])

    go(body)


def test_many_dynos_get_many_ports(tmp_path: Path) -> None:
    async def body() -> None:
        async with stage(tmp_path) as s:
            await s.dynos.apply("shop", [s.plan(WEB, number=n) for n in (1, 2, 3)])
            end = time.monotonic() + SLOW
            while time.monotonic() < end and {d.state for d in s.dynos.states()} != {"up"}:
                await asyncio.sleep(0.02)
            states = s.dynos.states("shop")
            assert [d.name for d in states] == ["web.1", "web.2", "web.3"]
            assert len({d.port for d in states}) == 3

    go(body)


def test_each_change_of_a_dyno_is_told_but_not_the_platforms_end(tmp_path: Path) -> None:
    async def body() -> None:
        async with stage(tmp_path) as s:
            await s.dynos.apply("shop", [s.plan("sleep 300", "worker")])
            await s.until_up()
            await s.dynos.apply("shop", [s.plan("exit 3", "worker", release=2)])
            await s.until(lambda d: d.state == "crashed")
        assert sorted(s.changes[:2]) == [
            ("create", "worker.1", 1, "starting"), ("update", "worker.1", 1, "up"),
        ]  # fmt: skip
        assert sorted(s.changes[2:]) in [
            [("create", "worker.1", 2, "starting"), ("destroy", "worker.1", 1, "down"), *rest]
            for rest in (
                [("update", "worker.1", 2, "crashed")],
                [("update", "worker.1", 2, "crashed"), ("update", "worker.1", 2, "up")],
            )
        ]

    go(body)
