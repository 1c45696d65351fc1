"""The live view of a run on standard error: the steps, and the last lines of what runs.

Only on a terminal; elsewhere, and with ``--quiet``, nothing is printed.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from truegreen.errors import printable
from truegreen.model import Evidence
from truegreen.outputs.table import MARKS, STYLES
from truegreen.release.trailer import PREFIX

_TAIL = 8  # lines of output that stay in view


class LiveView:
    """A watcher that draws. Use as a context manager; ``quiet`` or no terminal: draws nothing."""

    def __init__(self, *, quiet: bool, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.stderr, highlight=False, markup=False)
        self._on = not quiet and self._console.is_terminal
        self._steps: dict[str, tuple[str, str, float, float | None]] = {}
        self._tail: deque[str] = deque(maxlen=_TAIL)
        self._checks: list[Evidence] = []
        self._live: Live | None = None

    def __enter__(self) -> LiveView:
        if self._on:
            self._live = Live(
                get_renderable=self._draw, console=self._console, refresh_per_second=10
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._tail.clear()
            self._live.stop()
            self._live = None

    def step(self, name: str, state: str, text: str) -> None:
        now = time.monotonic()
        began = self._steps[name][2] if name in self._steps else now
        ended = None if state == "running" else now
        self._steps[name] = (str(state), printable(text), began, ended)
        if ended is not None:
            self._tail.clear()

    def output(self, step: str, line: str) -> None:
        del step
        if not line.startswith(PREFIX):  # the report trailer is for programs
            self._tail.append(printable(line.expandtabs()))

    def evidence(self, item: Evidence) -> None:
        self._checks.append(item)

    def _draw(self) -> RenderableType:
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(width=2)
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True, style="dim")
        table.add_column(overflow="fold", ratio=1)
        for name, (state, text, began, ended) in self._steps.items():
            seconds = (ended or time.monotonic()) - began
            table.add_row(_mark(state), name, f"{seconds:.1f} s", Text(text, style="dim"))
        parts: list[RenderableType] = [table]
        if self._checks:
            dots = Text("  ")
            for item in self._checks:
                dots.append(MARKS[str(item.status)], style=STYLES[str(item.status)])
            parts.append(dots)
        for line in self._tail:
            parts.append(Text("   │ " + line, style="dim", overflow="ellipsis", no_wrap=True))
        return Group(*parts)


def _mark(state: str) -> RenderableType:
    marks = {"done": ("✔", "green"), "skipped": ("–", "dim"), "failed": ("✘", "bold red")}
    if state in marks:
        text, style = marks[state]
        return Text(text, style=style)
    return Spinner("dots", style="cyan")


class Ticker:
    """One line on standard error that says what a long task is at. Same rules as LiveView."""

    def __init__(self, name: str, *, quiet: bool, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.stderr, highlight=False, markup=False)
        on = not quiet and self._console.is_terminal
        self._status = self._console.status(name) if on else None
        self._name = name

    def __enter__(self) -> Ticker:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def say(self, text: str) -> None:
        if self._status is not None:
            self._status.update(f"{self._name}: {text}")
