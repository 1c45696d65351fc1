"""Which faults are in, and what they do to releases, dynos and databases.

The rest of the platform asks policies (`Handover`, `stuck`) that are there without any fault too,
and is told nothing of faults. What they do to the API's answers is `api/fault_layer.py`'s.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from truegreen.embedded import faults
from truegreen.embedded.dynos import DynoManager
from truegreen.embedded.faults import Fault
from truegreen.embedded.leftovers import signal_group

F = TypeVar("F", bound=Fault)
_PAUSE = 0.1


class ActiveFaults:
    """Use it in one event loop. ``removed`` is called with each that went."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._active: dict[str, Fault] = {}
        self._hits: dict[str, float] = {}
        self._began: list[Callable[[str, Fault], Awaitable[None]]] = []
        self._ended: list[Callable[[str, Fault], Awaitable[None]]] = []

    def on_change(
        self, began: Callable[[str, Fault], Awaitable[None]],
        ended: Callable[[str, Fault], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._began.append(began)
        self._ended.append(ended)

    async def add(self, fault: Fault) -> str:
        key = f"f{next(self._numbers)}"
        self._active[key] = fault
        for began in self._began:
            await began(key, fault)
        return key

    async def remove(self, key: str) -> bool:
        """False when it is not in."""
        fault = self._active.pop(key, None)
        self._hits.pop(key, None)
        if fault is None:
            return False
        for ended in self._ended:
            await ended(key, fault)
        return True

    def as_text(self) -> dict[str, dict[str, str]]:
        return {key: {"kind": f.name, **f.as_text()} for key, f in self._active.items()}

    def of(self, kind: type[F]) -> list[F]:
        return [fault for fault in self._active.values() if isinstance(fault, kind)]

    def hits(self, kind: type[F], matches: Callable[[F], bool], rate: Callable[[F], float]) \
            -> list[F]:  # fmt: skip
        """Those of ``kind`` that match and whose turn it is: each counts its matches and takes
        its share evenly, the first one included."""
        found = []
        for key, fault in self._active.items():
            if not isinstance(fault, kind) or not matches(fault):
                continue
            left = self._hits.get(key, 1.0 - rate(fault)) + rate(fault)
            if left >= 1.0 - 1e-9:
                found.append(fault)
                left -= 1.0
            self._hits[key] = left
        return found

    def for_app(self, kind: type[F], app: str) -> bool:
        return any(getattr(fault, "app", "*") in ("*", app) for fault in self.of(kind))


class Effects:
    """What faults do outside the API. ``expire_stuck`` ends the releases that were held back."""

    def __init__(
        self, active: ActiveFaults, dynos: DynoManager, expire_stuck: Callable[[], None],
        databases_down: Callable[[bool], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._active = active
        self._dynos = dynos
        self._expire_stuck = expire_stuck
        self._databases_down = databases_down
        self._crashing: dict[str, asyncio.Task[None]] = {}
        active.on_change(self._began, self._ended)

    async def _began(self, key: str, fault: Fault) -> None:
        if isinstance(fault, faults.DynoCrash):
            self._crashing[key] = asyncio.create_task(self._crash(fault))
        elif isinstance(fault, faults.DatabaseDown):
            await self._databases_down(True)

    async def _ended(self, key: str, fault: Fault) -> None:
        if isinstance(fault, faults.DynoCrash):
            self._crashing.pop(key).cancel()
        elif isinstance(fault, faults.DatabaseDown):
            await self._databases_down(bool(self._active.of(faults.DatabaseDown)))
        elif isinstance(fault, faults.ReleaseStuck):
            self._expire_stuck()
        elif isinstance(fault, faults.StaleDyno):
            self._dynos.drop_stale()

    async def _crash(self, fault: faults.DynoCrash) -> None:
        while True:
            for dyno in self._dynos.states(None if fault.app == "*" else fault.app):
                up = (datetime.now(UTC) - dyno.updated_at).total_seconds()
                wanted = dyno.type == fault.type and dyno.state == "up" and up >= fault.after
                if wanted and dyno.pid is not None:
                    signal_group(dyno.pid, signal.SIGKILL)
            await asyncio.sleep(_PAUSE)

    async def close(self) -> None:
        for task in self._crashing.values():
            task.cancel()
        await asyncio.gather(*self._crashing.values(), return_exceptions=True)
