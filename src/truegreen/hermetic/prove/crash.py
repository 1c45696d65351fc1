"""A conftest that cannot be imported: which variable it lacks, found by giving it one.

Before anything is collected there is no test to compare; whether pytest comes to the modules of
the suite at all is compared instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from truegreen.hermetic.prove.client import ForkServer, NothingCollected
from truegreen.hermetic.prove.compare import Change, Leak, Outcome
from truegreen.hermetic.prove.orders import COLLECTED, RESULT
from truegreen.hermetic.prove.plan import Case, Line
from truegreen.hermetic.result import LeakedRead, read_result

Values = Callable[[str], Sequence[str | None]]


def missing_variable(
    server: ForkServer, crash: NothingCollected, assumed: Mapping[str, str | None], values: Values
) -> tuple[Leak, str] | None:
    """The variable without which nothing is collected, and a value with which something is (or
    with which the import gets as far as to another variable). None when no value helps.

    ``assumed``: variables that have a value already. ``values``: those worth trying.
    """
    reads = _absent(crash.folder, assumed)
    # what the error names is tried first: it is nearly always the one
    names = sorted(dict.fromkeys(one.variable for one in reads), key=lambda n: n not in crash.hint)
    message = _last_error(crash.hint)
    further: tuple[Leak, str] | None = None
    for name in names:
        tried = [value for value in values(name) if value is not None]
        cases = [Case({name: value}, (), cold=True, recorded=True) for value in tried]
        for value, ran in zip(tried, server.run(cases), strict=True):
            collected = bool(ran.outcomes)
            new = {one.variable for one in _absent(ran.folder, assumed)} - set(names)
            if not collected and (not new or further):
                continue
            lines = tuple(Line(one.file, one.line) for one in reads if one.variable == name)
            changed = Outcome(COLLECTED) if collected else Outcome("error", "another one is absent")
            change = Change(name, value, lines[0].file, Outcome("error", message), changed)
            leak = Leak(name, tuple(dict.fromkeys(lines)), (change,))
            if collected:
                return leak, value
            further = leak, value
    return further


def _absent(folder: Path, assumed: Mapping[str, str | None]) -> list[LeakedRead]:
    result = read_result(folder / RESULT)
    leaks = result.leaks if result is not None else ()
    return [
        one
        for one in leaks
        if not one.present and one.variable not in assumed and not one.variable.endswith("*")
    ]


def _last_error(text: str) -> str:
    """The line of pytest's output that says what broke."""
    marked = [line[1:].strip() for line in text.splitlines() if line.startswith("E  ")]
    return (marked or text.splitlines() or [""])[-1]
