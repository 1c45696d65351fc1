"""What a proof came to, and its JSON. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from truegreen.hermetic.prove.compare import Leak


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found. ``harmless``: variables that are read, and whose every tried value changed
    nothing. ``flaky``: tests that depend on luck or order, and prove nothing. ``unknown``: what
    could not be found out, in sentences. ``pins``: for each variable a value under which the suite
    does what it does now; absent from it is what has none."""

    leaks: tuple[Leak, ...]
    harmless: tuple[str, ...]
    flaky: tuple[str, ...]
    unknown: tuple[str, ...]
    pins: Mapping[str, str]
    tests: int
    cases: int
    runs: int
    method: str
    seconds: float

    @property
    def exit_code(self) -> int:
        """1: a leak; 3: something could not be found out; 0: none."""
        return 1 if self.leaks else (3 if self.unknown else 0)

    def as_json(self) -> dict[str, Any]:
        """Keys are a contract."""
        return {
            "leaks": [leak.as_json() for leak in self.leaks],
            "harmless": list(self.harmless),
            "flaky": list(self.flaky),
            "unknown": list(self.unknown),
            "tests": self.tests,
            "cases": self.cases,
            "runs": self.runs,
            "method": self.method,
            "seconds": round(self.seconds, 3),
        }


def cut_short(why: str) -> Proof:
    """Nothing was proved, for the reason ``why``."""
    return Proof((), (), (), (why,), {}, tests=0, cases=0, runs=0, method="none", seconds=0.0)
