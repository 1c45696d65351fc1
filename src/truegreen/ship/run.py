"""One run while it goes on: which step it is in, how long each took, what it changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from truegreen.ship.baseline import Baseline
from truegreen.ship.progress import Journal, StepState

_PLATFORM_TIME = ("config", "build", "release", "boot")  # what is the platform's to spend, not ours
_WAITING = ("lease",)  # in the queue: somebody else's time


@dataclass(slots=True)
class Step:
    """How a step ended, to be filled in by it."""

    state: StepState = StepState.DONE
    text: str = ""


@dataclass(slots=True)
class Run:
    """What one run has done so far. ``clock``: monotonic seconds."""

    journal: Journal
    clock: Callable[[], float]
    timings: dict[str, float] = field(default_factory=dict)
    changed: bool = False
    booted: bool = False  # its dynos are up: then old ones may still be leaving
    away: bool = False  # the platform gave no answer in the middle
    notes: list[str] = field(default_factory=list)
    overrides: list[dict[str, Any]] = field(default_factory=list)
    gates: list[dict[str, Any]] = field(default_factory=list)
    wave: dict[str, Any] | None = None
    beforehand: Mapping[str, str] = field(default_factory=dict)  # config vars, for the dyno
    baseline: Baseline | None = None

    def mark_changed(self) -> None:
        self.changed = True

    @contextmanager
    def step(self, name: str, text: str = "") -> Iterator[Step]:
        self.journal.step(name, StepState.RUNNING, text)
        began = self.clock()
        step = Step()
        try:
            yield step
        except BaseException as error:
            told = str(error) or type(error).__name__
            self.journal.step(name, StepState.FAILED, told)
            raise
        else:
            self.journal.step(name, step.state, step.text)
        finally:
            self.timings[name] = self.clock() - began

    @property
    def last_step(self) -> str:
        return str(self.journal.events[-1]["step"]) if self.journal.events else "start"

    def told_timings(self, total: float) -> dict[str, float]:
        """Seconds a step; ``overhead`` is what was neither the platform's nor the queue's."""
        told = {name: round(seconds, 3) for name, seconds in self.timings.items()}
        not_ours = sum(self.timings.get(name, 0.0) for name in (*_PLATFORM_TIME, *_WAITING))
        return {**told, "total": round(total, 3), "overhead": round(total - not_ours, 3)}
