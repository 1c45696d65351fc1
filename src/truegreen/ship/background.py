"""Starts the durable engine while something else is waited for: its import alone takes half a
second."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Self

from truegreen.state import Location

if TYPE_CHECKING:
    from truegreen.ship.durable import DurableEngine


class EngineInBackground:
    """A context manager. ``get`` is the engine, or raises why it could not be started."""

    def __init__(self, location: Location) -> None:
        self._location = location
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine start")
        self._started: Future[DurableEngine] | None = None

    def __enter__(self) -> Self:
        self._started = self._pool.submit(_start, self._location)
        return self

    def get(self) -> DurableEngine:
        assert self._started is not None
        return self._started.result()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True)
        if self._started is not None and self._started.exception() is None:
            self._started.result().close()


def _start(location: Location) -> DurableEngine:
    from truegreen.ship.durable import DurableEngine

    return DurableEngine.start(location)
