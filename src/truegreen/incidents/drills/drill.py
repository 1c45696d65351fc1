"""What a drill is, and what came of one: values only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DrillRun:
    """One ship inside a drill, as the workflow of that day saw it and as TrueGreen saw it.

    ``problems`` is what is not as the drill demands; empty means that this run holds.
    """

    label: str
    control: bool
    world: str  # hold | deploy: what the platform does with a failed release
    that_day: Mapping[str, Any]
    document: Mapping[str, Any]
    problems: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "control": self.control,
            "world": self.world,
            "that_day": dict(self.that_day),
            "truegreen": dict(self.document),
            "problems": list(self.problems),
        }


@dataclass(frozen=True, slots=True)
class DrillResult:
    """All runs of one drill. It passes when every run holds and the time was kept."""

    name: str
    runs: tuple[DrillRun, ...]
    seconds: float
    within: float
    problems: tuple[str, ...] = ()  # of the drill as a whole

    @property
    def all_problems(self) -> tuple[str, ...]:
        own = list(self.problems)
        if not any(run.control for run in self.runs):
            own.append("there was no control run: a detection without one proves nothing")
        if not any(not run.control for run in self.runs):
            own.append("the fault was never put in")
        if self.seconds > self.within:
            own.append(f"took {self.seconds:.0f} s, more than the {self.within:.0f} s it may take")
        return tuple(own)

    @property
    def passed(self) -> bool:
        return not self.all_problems and not any(run.problems for run in self.runs)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "passed": self.passed,
            "seconds": round(self.seconds, 3),
            "within": self.within,
            "problems": list(self.all_problems),
            "runs": [run.as_json() for run in self.runs],
        }


@dataclass(frozen=True, slots=True)
class Drill:
    """A fault that named checks must report within a stated time, beside a control.

    ``run`` gets the service's root, the worlds to run in, and something to say progress to.
    """

    name: str
    title: str
    checks: tuple[str, ...]
    within: float  # seconds, for the whole drill
    run: Callable[[Path, tuple[str, ...], Say], DrillResult] = field(compare=False)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "checks": list(self.checks),
            "within": self.within,
        }
