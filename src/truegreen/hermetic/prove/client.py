"""The fork server's other end: starts it, gives it runs, and leaves no process behind."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from truegreen.errors import DeadlineExceeded, Unverified
from truegreen.hermetic.prove.compare import Outcome
from truegreen.hermetic.prove.orders import Order, read_outcomes
from truegreen.hermetic.prove.plan import Case

_LOG_TAIL = 12  # lines
_GRACE = 30.0  # seconds that the server may be silent beyond a run's own timeout


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run came to. ``exit`` is pytest's or, negative, the signal's that ended it."""

    outcomes: Mapping[str, Outcome]
    folder: Path
    exit: int
    timed_out: bool


@dataclass(frozen=True, slots=True)
class Collected:
    """``tests`` in the suite's order; ``threads``: those that run once it is imported."""

    tests: tuple[str, ...]
    threads: int


class NothingCollected(Unverified):
    """pytest ended before it had collected anything. ``folder``: what that run has left."""

    def __init__(self, message: str, *, hint: str, folder: Path) -> None:
        super().__init__(message, hint=hint)
        self.folder = folder


class ForkServer:
    """A context manager around the server's process group.

    ``arguments`` are pytest's; ``environ`` is all that the server sees; ``base``: values that every
    run has; ``scratch``: an empty folder of our own; ``timeout``: seconds for one run.
    """

    def __init__(
        self,
        root: Path,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        *,
        scratch: Path,
        timeout: float,
        base: Mapping[str, str | None],
    ) -> None:
        self._command = [sys.executable, "-m", "truegreen.hermetic.prove.forkserver"]
        self._arguments = list(arguments)
        self._root = root
        self._environ = dict(environ)
        self._scratch = scratch
        self._timeout = timeout
        self._base = dict(base)
        self._orders = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._log = scratch / "server.log"

    def __enter__(self) -> Self:
        self._cold, cold = socket.socketpair()
        self._warm, warm = socket.socketpair()
        self._rest = {self._cold: b"", self._warm: b""}
        try:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    [*self._command, str(cold.fileno()), str(warm.fileno()),
                     json.dumps(self._arguments)],
                    cwd=self._root, env=self._environ, pass_fds=(cold.fileno(), warm.fileno()),
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip
        finally:
            cold.close()
            warm.close()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        process = self._process
        if process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._cold.close()
        self._warm.close()

    @property
    def runs(self) -> int:
        """How many runs were ordered by now."""
        return self._orders

    def collect(self) -> Collected:
        """Imports the application and collects the suite; then warm cases can be run.

        Raises NothingCollected, with the end of pytest's output, when it comes to nothing.
        """
        order = self._order({}, None, collect=True)
        self._cold.sendall(order.line())
        until = time.monotonic() + self._timeout + _GRACE
        while True:
            for channel, said in self._hear(until):
                if channel is self._warm:
                    return Collected(tuple(said["collected"]), int(said["threads"]))
                raise NothingCollected(
                    f"pytest ended with {said['exit']} before it had collected anything",
                    hint=self.tail(),
                    folder=Path(order.folder),
                )

    def run(self, cases: Sequence[Case], jobs: int = 1) -> list[Ran]:
        """Runs ``cases``, at most ``jobs`` at a time; the answers in their order.

        Raises Unverified when the server itself is gone.
        """
        waiting = list(enumerate(cases))
        under_way: dict[int, tuple[int, Order]] = {}
        found: dict[int, Ran] = {}
        until = time.monotonic()
        while waiting or under_way:
            while waiting and len(under_way) < max(1, jobs):
                index, case = waiting.pop(0)
                order = self._order(case.values, case.tests, recorded=case.recorded)
                (self._cold if case.cold else self._warm).sendall(order.line())
                under_way[order.id] = (index, order)
                until = time.monotonic() + self._timeout + _GRACE
            for channel, said in self._hear(until):
                if said["id"] not in under_way:
                    if channel is self._cold:
                        raise Unverified("the collected suite's process ended", hint=self.tail())
                    continue
                index, order = under_way.pop(said["id"])
                found[index] = _ran(order, said)
        return [found[index] for index in range(len(cases))]

    def tail(self) -> str:
        """The end of what pytest printed."""
        try:
            text = self._log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-_LOG_TAIL:])

    def _order(
        self,
        values: Mapping[str, str | None],
        tests: tuple[str, ...] | None,
        *,
        collect: bool = False,
        recorded: bool = True,
    ) -> Order:
        self._orders += 1
        folder = self._scratch / f"r{self._orders}"
        folder.mkdir()
        return Order(
            self._orders, {**self._base, **values}, tests, str(folder),
            # whoever collected goes on living, to take orders
            86_400.0 if collect else self._timeout, collect, recorded,
        )  # fmt: skip

    def _hear(self, until: float) -> list[tuple[socket.socket, dict[str, Any]]]:
        """What the server says next. Raises DeadlineExceeded, and Unverified at its end."""
        ready, _, _ = select.select([self._cold, self._warm], [], [], until - time.monotonic())
        if not ready:
            raise DeadlineExceeded("the fork server gave no answer in time", hint=self.tail())
        heard: list[tuple[socket.socket, dict[str, Any]]] = []
        for channel in ready:
            data = channel.recv(1 << 20)
            if not data:
                raise Unverified("the fork server ended", hint=self.tail())
            *lines, self._rest[channel] = (self._rest[channel] + data).split(b"\n")
            heard += [(channel, json.loads(line)) for line in lines]
        return heard


def _ran(order: Order, said: Mapping[str, Any]) -> Ran:
    folder = Path(order.folder)
    outcomes = read_outcomes(folder)
    if said["timed_out"]:
        outcomes = {
            test: Outcome("timed out") if one.state == "crashed" else one
            for test, one in outcomes.items()
        }
    return Ran(outcomes, folder, int(said["exit"]), bool(said["timed_out"]))
