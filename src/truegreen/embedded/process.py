"""One command as a process group: start it, read what it prints, and leave nothing of it behind.

Knows nothing of dynos, releases or HTTP. What leaves its session (setsid) escapes its group: it can
hold the output open, which never hangs us, but it is not ended here.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from truegreen.embedded.leftovers import group_alive, signal_group

T = TypeVar("T")

_KILL_PATIENCE = 5.0  # seconds until a process that got SIGKILL is given up (stuck in the kernel)
_DRAIN_PATIENCE = 0.5  # seconds for the end of output once the group is gone


@dataclass(frozen=True)
class ProcessSpec:
    """``command``: a Procfile line, run by ``/bin/sh -c``; ``env``: all the environment it gets."""

    command: str
    cwd: Path
    env: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class ExitResult:
    """``code``: the exit status, 128 + N after signal N; None when the deadline ended it."""

    code: int | None
    timed_out: bool
    seconds: float


class Child:
    """A started command. Its pid is its process group and its session as well."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        output: asyncio.ReadTransport,
        reader: OutputReader,
    ) -> None:
        self._process = process
        self._output = output
        self._reader = reader
        self.pid = process.pid

    async def wait(self) -> int:
        """The main process's exit status, 128 + N after signal N. The group may live on."""
        code = await self._process.wait()
        return 128 - code if code < 0 else code

    async def end(self, grace: float) -> bool:
        """Make the whole group be gone: SIGTERM, ``grace`` seconds, SIGKILL; then drain output.

        Returns whether SIGKILL was needed. When cancelled, it goes to SIGKILL at once.
        """
        try:
            killed = False
            signal_group(self.pid, signal.SIGTERM)
            if not await self._gone_within(grace):
                killed = True
                signal_group(self.pid, signal.SIGKILL)
                await self._gone_within(_KILL_PATIENCE)
            await asyncio.wait({self._reader.ended}, timeout=_DRAIN_PATIENCE)
            return killed
        except asyncio.CancelledError:
            signal_group(self.pid, signal.SIGKILL)
            raise
        finally:
            self._output.close()

    @property
    def output_error(self) -> BaseException | None:
        """What ``on_output`` raised, if it did; nothing was handed to it after that."""
        return self._reader.failed.exception() if self._reader.failed.done() else None

    async def failed_output(self) -> None:
        """Raises what the reader of the output raised, as soon as it does; else never returns."""
        await asyncio.shield(self._reader.failed)

    async def _gone_within(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        pause = 0.005
        while self._process.returncode is None or group_alive(self.pid):
            if time.monotonic() >= until:
                return False
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.1)
        return True


class OutputReader(asyncio.Protocol):
    def __init__(self, on_output: Callable[[bytes], None]) -> None:
        self._on_output = on_output
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        if self.failed.done():
            return  # keep reading, so that the command does not block on a full pipe
        try:
            self._on_output(data)
        except Exception as error:  # noqa: BLE001 - the caller's code: handed back to the caller
            self.failed.set_exception(error)
            self.failed.exception()  # read once here: it may be that nobody waits for it

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


async def start(spec: ProcessSpec, on_output: Callable[[bytes], None]) -> Child:
    """Start the command in its own session, nothing inherited, standard input empty.

    ``on_output`` gets standard output and standard error as they come, in the event loop. Raises
    OSError when it cannot be started (the folder is gone, no more processes). A cancelled call
    leaves nothing running.
    """
    spawning = asyncio.ensure_future(_spawn(spec, on_output))
    try:
        return await asyncio.shield(spawning)
    except asyncio.CancelledError:

        async def discard() -> None:
            await (await spawning).end(0.0)

        await undisturbed(discard())
        raise


async def _spawn(spec: ProcessSpec, on_output: Callable[[bytes], None]) -> Child:
    # A pipe of our own: asyncio's would make the process's end wait for the pipe's end, which a
    # grandchild may hold open for ever.
    loop = asyncio.get_running_loop()
    read_end, write_end = os.pipe()
    try:
        pipe = os.fdopen(read_end, "rb", buffering=0)
        reader = OutputReader(on_output)
        output, _ = await loop.connect_read_pipe(lambda: reader, pipe)
        try:
            process = await asyncio.create_subprocess_exec(
                "/bin/sh",
                "-c",
                spec.command,
                cwd=spec.cwd,
                env=dict(spec.env),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write_end,
                stderr=write_end,
                start_new_session=True,
            )
        except BaseException:
            output.close()
            raise
    finally:
        os.close(write_end)
    return Child(process, output, reader)


async def run_to_end(
    spec: ProcessSpec,
    *,
    on_output: Callable[[bytes], None],
    deadline: float,
    grace: float = 10.0,
    on_start: Callable[[int], None] | None = None,
) -> ExitResult:
    """Run the command; at return, also by an exception or when cancelled, its group is gone.

    ``deadline``: seconds for the main process; what it leaves in its group is ended (SIGTERM,
    ``grace`` seconds, SIGKILL). ``on_start`` gets the pid. Raises OSError when it cannot be
    started, and whatever ``on_output`` or ``on_start`` raises.
    """
    began = time.monotonic()
    child = await start(spec, on_output)
    code: int | None = None
    waits: list[asyncio.Task[int] | asyncio.Task[None]] = []
    try:
        if on_start:
            on_start(child.pid)
        waits = [
            exited := asyncio.create_task(child.wait()),
            asyncio.create_task(child.failed_output()),
        ]
        done, _ = await asyncio.wait(
            waits, timeout=max(0.0, deadline), return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            task.result()
        if exited in done:
            code = exited.result()
    finally:
        for task in waits:
            task.cancel()
        await undisturbed(child.end(grace))
    if child.output_error:
        raise child.output_error
    return ExitResult(code, code is None, time.monotonic() - began)


async def undisturbed(work: Awaitable[T]) -> T:
    """Finish ``work`` even when the caller is cancelled meanwhile; the cancellation comes after."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled and not task.cancelled():
        task.exception()
        raise cancelled
    return task.result()
