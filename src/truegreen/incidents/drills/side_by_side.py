"""Runs a few functions at once, in threads that never hold up a Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class _Task(Generic[T]):
    def __init__(self, function: Callable[[], T], turn: threading.Semaphore) -> None:
        self._function = function
        self._turn = turn
        self.results: list[T] = []
        self.error: BaseException | None = None
        # A daemon: after Ctrl-C nobody waits for what it is in the middle of.
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            with self._turn:
                self.results.append(self._function())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self.error = error


def side_by_side(functions: Sequence[Callable[[], T]], *, at_once: int = 0) -> list[T]:
    """The results, in the order of ``functions``. The first error is raised, once all have ended;
    a KeyboardInterrupt at once. ``at_once``: how many run at a time; 0 for all."""
    turn = threading.Semaphore(at_once or max(1, len(functions)))
    tasks = [_Task(function, turn) for function in functions]
    for task in tasks:
        while task.thread.is_alive():
            task.thread.join(0.2)
    for task in tasks:
        if task.error is not None:
            raise task.error
    return [result for task in tasks for result in task.results]
