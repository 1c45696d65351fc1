"""What a drill is, and what came of one: values only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Say = Callable[[str], None]
MIDDLE = 3  # digits after the point of seconds in a document


@dataclass(frozen=True, slots=True)
class Times:
    """Moments of one run, in seconds of one clock. ``true``: a witness saw the fault on the
    platform; ``reported``: the named check said so, which may be before the witness's next look.
    None: it never came to that."""

    began: float
    ended: float
    true: float | None = None
    reported: float | None = None

    @property
    def gap(self) -> float | None:
        """Seconds from the fault to its report; None without either."""
        if self.true is None or self.reported is None:
            return None
        return max(0.0, self.reported - self.true)

    def as_json(self, origin: float) -> dict[str, float | None]:
        true = self.true
        if true is not None and self.reported is not None:
            true = min(true, self.reported)
        named = {"began": self.began, "true": true, "reported": self.reported}
        named["ended"] = self.ended
        return {
            name: None if value is None else round(value - origin, MIDDLE)
            for name, value in named.items()
        }


@dataclass(frozen=True, slots=True)
class DrillRun:
    """One run of a drill, as the workflow of that day saw it and as TrueGreen saw it.

    ``problems`` is what is not as the drill demands; empty means that this run holds.
    """

    label: str
    control: bool
    world: str  # hold | deploy: what the platform does with a failed release
    that_day: Mapping[str, Any]
    document: Mapping[str, Any]
    problems: tuple[str, ...]
    times: Times | None = None

    def as_json(self, origin: float = 0.0) -> dict[str, Any]:
        return {
            "label": self.label,
            "control": self.control,
            "world": self.world,
            "that_day": dict(self.that_day),
            "truegreen": dict(self.document),
            "problems": list(self.problems),
            "times": self.times.as_json(origin) if self.times else None,
        }


@dataclass(frozen=True, slots=True)
class DrillResult:
    """All runs of one drill. It passes when every run holds and the time was kept.

    ``unmade``: why nothing can be said, because the drill could not be made as it is written.
    """

    name: str
    runs: tuple[DrillRun, ...]
    seconds: float
    within: float  # for all of it, seconds
    problems: tuple[str, ...] = ()  # of the drill as a whole
    unmade: str = ""
    title: str = ""
    check: str = ""
    then: float | None = None  # seconds that the detection took on that day, where it is known
    then_told: str = ""

    @property
    def all_problems(self) -> tuple[str, ...]:
        if self.unmade:
            return (f"it could not be made: {self.unmade}",)
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

    @property
    def gap(self) -> float | None:
        """The longest detection gap of its faults, in seconds; None when one was not detected."""
        gaps = [run.times.gap if run.times else None for run in self.runs if not run.control]
        known = [gap for gap in gaps if gap is not None]
        return max(known) if known and len(known) == len(gaps) else None

    def as_json(self, origin: float = 0.0) -> dict[str, Any]:
        fault = next((run for run in self.runs if not run.control), None)
        return {
            "name": self.name,
            "title": self.title,
            "check": self.check,
            "passed": self.passed,
            "unmade": bool(self.unmade),
            "seconds": round(self.seconds, MIDDLE),
            "within": self.within,
            "gap": {
                "now": None if self.gap is None else round(self.gap, MIDDLE),
                "then": self.then,
                "then_told": self.then_told,
                "workflow": fault.that_day.get("conclusion") if fault else None,
            },
            "problems": list(self.all_problems),
            "runs": [run.as_json(origin) for run in self.runs],
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
    incident: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "checks": list(self.checks),
            "within": self.within,
            "incident": self.incident,
            "source": "shipped",
        }
