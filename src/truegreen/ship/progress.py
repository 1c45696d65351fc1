"""What a run tells whoever watches it. The pipeline speaks; outputs decide how it looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from truegreen.model import Evidence, stamp


class StepState(StrEnum):
    """Where a step is."""

    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class Watcher(Protocol):
    """Whoever watches: a terminal, a test, nobody."""

    def step(self, name: str, state: StepState, text: str) -> None: ...
    def output(self, step: str, line: str) -> None: ...
    def evidence(self, item: Evidence) -> None: ...


class Nobody:
    """A watcher that looks away."""

    def step(self, name: str, state: StepState, text: str) -> None:
        return

    def output(self, step: str, line: str) -> None:
        return

    def evidence(self, item: Evidence) -> None:
        return


@dataclass(slots=True)
class Journal:
    """Passes everything on to a watcher, and keeps what the record needs."""

    watcher: Watcher
    events: list[dict[str, Any]] = field(default_factory=list)

    def step(self, name: str, state: StepState, text: str = "") -> None:
        moment = stamp(datetime.now(UTC))
        self.events.append({"at": moment, "step": name, "state": str(state), "text": text})
        self.watcher.step(name, state, text)

    def output(self, step: str, line: str) -> None:
        self.watcher.output(step, line)

    def evidence(self, item: Evidence) -> None:
        self.watcher.evidence(item)
