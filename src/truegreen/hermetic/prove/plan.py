"""What is to be tried: which variables, with which values, in front of which tests. Pure.

A *case* gives one or more variables another value than they have in the unchanged run. None stands
for absent throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from truegreen.config import FlagDeclaration

UNDECLARED: tuple[str | None, ...] = (None, "1", "0", "", "garbage")
SMALL_PART = 50  # tests; below that a process of its own costs more than it saves
ALONE_UP_TO = 1500  # test runs; above that many, cases are screened together


@dataclass(frozen=True, slots=True)
class Line:
    """Where in the user's code a variable is read. ``file`` is relative to the root."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Subject:
    """A variable that is read and not pinned.

    ``tests``: the tests that read it, in the suite's order. ``at_import``: read while modules were
    imported or collected, so that every test may depend on it and a rerun must begin before that.
    """

    variable: str
    lines: tuple[Line, ...]
    tests: tuple[str, ...]
    at_import: bool


@dataclass(frozen=True, slots=True)
class Case:
    """``values`` instead of the unchanged ones, in front of ``tests``. ``cold``: from before the
    application's import. ``recorded``: what is read is to be known afterwards."""

    values: Mapping[str, str | None]
    tests: tuple[str, ...]
    cold: bool
    recorded: bool = False


def adverse_values(
    variable: str,
    unchanged: str | None,
    declaration: FlagDeclaration | None,
    real: Mapping[str, str],
) -> tuple[str | None, ...]:
    """The values worth trying, most telling first; never the unchanged one.

    The platform's real value comes first. A declared flag gets values of its type, anything else
    absent, 1, 0, empty and garbage.
    """
    candidates: list[str | None] = [real[variable]] if variable in real else []
    candidates += _by_type(declaration) if declaration else UNDECLARED
    return tuple(value for value in dict.fromkeys(candidates) if value != unchanged)


def _by_type(flag: FlagDeclaration) -> tuple[str | None, ...]:
    if flag.type == "bool":
        return (None, "1", "0")
    if flag.type in ("int", "float"):
        return (None, "0", "1", "-1", "2147483648")
    if flag.type == "duration":
        return (None, "0s", "1s", "24h")
    if flag.type == "choice":
        return (None, *flag.choices)
    return (None, "", "garbage")


def single_cases(
    subjects: Iterable[Subject],
    values: Mapping[str, tuple[str | None, ...]],
    tests: Sequence[str],
) -> tuple[Case, ...]:
    """One case a variable and value. ``tests``: the whole suite, for what is read at import."""
    return tuple(
        Case(
            {subject.variable: value},
            tuple(tests) if subject.at_import else subject.tests,
            subject.at_import,
        )
        for subject in subjects
        for value in values[subject.variable]
    )


def too_many(cases: Iterable[Case]) -> bool:
    """Whether running each case alone costs more than it should."""
    return sum(len(case.tests) for case in cases) > ALONE_UP_TO


def together(cases: Iterable[Case]) -> tuple[Case, ...]:
    """The same values in as few cases as there are values of the variable that has the most.

    Warm and cold ones stay apart. A variable has one value in a case; tests keep their order.
    """
    layers: dict[tuple[bool, int], list[Case]] = {}
    seen: dict[str, int] = {}
    for case in cases:
        (variable,) = case.values
        depth = seen.get(variable, 0)
        seen[variable] = depth + 1
        layers.setdefault((case.cold, depth), []).append(case)
    return tuple(
        Case(
            {name: value for one in layer for name, value in one.values.items()},
            tuple(dict.fromkeys(test for one in layer for test in one.tests)),
            cold,
        )
        for (cold, _), layer in layers.items()
    )


def witnesses(subject: Subject, limit: int = 3) -> tuple[str, ...]:
    """Some of the tests that read the variable, spread over the suite: tried with each value
    alone even where cases are screened together, because values can hide each other."""
    count = len(subject.tests)
    if count <= limit:
        return subject.tests
    step = (count - 1) / (limit - 1)
    return tuple(subject.tests[round(index * step)] for index in range(limit))


def parts(case: Case, count: int) -> tuple[Case, ...]:
    """The same values in front of at most ``count`` neighbouring parts of the tests, none of them
    small. What a test does apart from its neighbours is confirmed elsewhere."""
    count = max(1, min(count, len(case.tests) // SMALL_PART))
    if case.cold or count == 1:
        return (case,)
    bounds = [len(case.tests) * index // count for index in range(count + 1)]
    return tuple(replace(case, tests=case.tests[start:end]) for start, end in pairwise(bounds))
