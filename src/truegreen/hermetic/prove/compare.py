"""What differs between two runs of the same tests, and whose fault it is. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from truegreen.hermetic.prove.plan import Line, Subject

NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test ended: passed, failed, error, skipped, crashed, timed out or not run.

    ``message``: what a failed test says in one line, or "".
    """

    state: str
    message: str = ""


Outcomes = Mapping[str, Outcome]


@dataclass(frozen=True, slots=True)
class Change:
    """A test that ends differently when a variable has another value. ``value`` None: absent."""

    variable: str
    value: str | None
    test: str
    unchanged: Outcome
    changed: Outcome


def differing(unchanged: Outcomes, other: Outcomes, tests: Iterable[str]) -> tuple[str, ...]:
    """Those of ``tests`` that ended in another state. What was not run in ``other`` is none.

    A module that cannot be imported either way differs when it says something else: then another
    thing is missing.
    """
    missing = Outcome(NOT_RUN)
    found: list[str] = []
    for test in tests:
        before, after = unchanged.get(test, missing), other.get(test, missing)
        same = before == after if test.endswith(".py") else before.state == after.state
        if after.state != NOT_RUN and not same:
            found.append(test)
    return tuple(found)


def not_run(outcomes: Outcomes, tests: Iterable[str]) -> tuple[str, ...]:
    """Those of ``tests`` that have no outcome: the process ended before they came."""
    return tuple(test for test in tests if test not in outcomes or outcomes[test].state == NOT_RUN)


@dataclass(frozen=True, slots=True)
class Judged:
    """What is left of suspected tests after they were run again, unchanged and changed."""

    proven: tuple[str, ...]
    flaky: tuple[str, ...]
    again: Outcomes  # of the changed rerun


def judge(
    suspects: Sequence[str], unchanged: Outcomes, control: Outcomes, again: Outcomes
) -> Judged:
    """A suspect is proven when the control (the same tests, nothing changed) ends as the unchanged
    run did, and running it changed once more does not. Anything else depends on luck or order."""
    moved = set(differing(unchanged, control, suspects)) | set(not_run(control, suspects))
    repeated = set(differing(unchanged, again, suspects))
    proven = tuple(test for test in suspects if test in repeated and test not in moved)
    return Judged(proven, tuple(test for test in suspects if test not in proven), again)


@dataclass(frozen=True, slots=True)
class Leak:
    """A variable that decides the outcome of tests without being pinned."""

    variable: str
    lines: tuple[Line, ...]
    changes: tuple[Change, ...]

    @property
    def tests(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(change.test for change in self.changes))

    def as_json(self) -> dict[str, Any]:
        """Keys are a contract; ``file`` and ``line`` are the first of ``lines``."""
        return {
            "variable": self.variable,
            "file": self.lines[0].file if self.lines else "",
            "line": self.lines[0].line if self.lines else 0,
            "lines": [{"file": one.file, "line": one.line} for one in self.lines],
            "tests": list(self.tests),
            "outcomes": [
                {
                    "test": change.test,
                    "value": printable(change.value),
                    "unchanged": change.unchanged.state,
                    "changed": change.changed.state,
                    "message": printable(change.changed.message),
                }
                for change in self.changes
            ],
        }


def leaks_of(
    subjects: Iterable[Subject], changes: Iterable[Change], flaky: Collection[str] = ()
) -> tuple[Leak, ...]:
    """The leaks, by variable; changes of ``flaky`` tests prove nothing and are left out."""
    by_variable: dict[str, list[Change]] = {}
    for change in changes:
        if change.test not in flaky:
            by_variable.setdefault(change.variable, []).append(change)
    return tuple(
        Leak(subject.variable, subject.lines, tuple(by_variable[subject.variable]))
        for subject in subjects
        if subject.variable in by_variable
    )


def printable(text: str | None) -> Any:
    """``text`` with what is not UTF-8 in it (lone surrogates) shown as escapes."""
    if text is None:
        return None
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
