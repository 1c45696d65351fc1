"""One condition in CEL: compiled, evaluated over facts, and explained. Pure.

The language is the package ``common-expression-language``. It is total: no loops but over lists
that are there, no I/O. ``&&`` and ``||`` give an answer where one side decides, even if the other
cannot be evaluated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any

from truegreen.config import Condition
from truegreen.gates.policy.facts import Facts
from truegreen.light_imports import without
from truegreen.model import Status, stamp

_PATH = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_TEXT = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_POSITION = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?(.*)")
_LONGEST = 120  # characters of a value that is shown


class Malformed(Exception):
    """An expression that is none. ``line`` and ``column`` count from 1, within the expression."""

    def __init__(self, problem: str, line: int, column: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Outcome:
    """One condition's answer. ``used``: the facts that it names, with their values."""

    condition: Condition
    status: Status
    why: str
    used: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.condition.name,
            "holds": self.condition.holds,
            "status": str(self.status),
            "why": self.why,
            "used": dict(self.used),
        }


def paths_in(expression: str) -> tuple[str, ...]:
    """The names that ``expression`` reads, with their fields: ``wave.prs.size``, ``now.hour``.
    Functions and the variables of comprehensions are among them; strings are not."""
    bare = _TEXT.sub(lambda match: " " * len(match[0]), expression)
    return tuple(dict.fromkeys(match[0] for match in _PATH.finditer(bare)))


def compiled(expression: str) -> Any:
    """The program of an expression. Raises Malformed."""
    cel = _cel()
    try:
        return cel.compile(expression)
    except ValueError as error:
        told = str(error)
        match = _POSITION.search(told)
        if match is None:
            raise Malformed(_short(told), 1, 1) from error
        problem = match[3].split(" expecting {")[0]
        raise Malformed(problem, int(match[1]), int(match[2])) from error


def _cel() -> ModuleType:
    """Its command line (typer, prompt_toolkit) would be 150 of the 160 ms that it takes."""
    with without("cel.cli", ModuleType("cel.cli")):
        import cel

    return cel


def evaluate(condition: Condition, facts: Facts) -> Outcome:
    """Whether ``condition`` holds: pass only for true. A field that is not there denies; a fact
    that could not be found out is unknown. Raises Malformed."""
    program = compiled(condition.holds)
    used = _used(condition.holds, facts)
    try:
        value = program.execute(dict(facts.values))
    except Exception as error:  # noqa: BLE001 - whatever it cannot evaluate does not hold
        status, why = _not_evaluated(condition.holds, error, facts)
        return Outcome(condition, status, why, used)
    if value is True:
        return Outcome(condition, Status.PASS, "holds", used)
    if value is False:
        return Outcome(condition, Status.FAIL, "does not hold", used)
    told = f"gives {_shown(value)}, and a condition must give true or false"
    return Outcome(condition, Status.FAIL, told, used)


def _not_evaluated(expression: str, error: Exception, facts: Facts) -> tuple[Status, str]:
    paths = paths_in(expression)
    for path in paths:
        name = path.split(".")[0]
        if name in facts.unknown:
            return Status.UNKNOWN, f"{name} is not known: {facts.unknown[name]}"
    if isinstance(error, KeyError):
        field = str(error.args[0]) if error.args else "?"
        path = next((one for one in paths if field in one.split(".")[1:]), field)
        return Status.FAIL, f"there is no {path}, and a field that is missing denies"
    match = re.match(r"Undefined variable or function: '([^']*)'", str(error))
    if match:
        known = ", ".join(sorted({*facts.values, *facts.unknown}))
        return Status.FAIL, f"there is no {match[1]}, which denies; known: {known}"
    return Status.FAIL, f"cannot be evaluated, which denies: {_short(str(error))}"


def _used(expression: str, facts: Facts) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for path in paths_in(expression):
        name, *fields = path.split(".")
        if name in facts.unknown:
            found.append((name, f"not known: {facts.unknown[name]}"))
        if name not in facts.values:
            continue
        value: Any = facts.values[name]
        told = name
        for field in fields:
            if not isinstance(value, Mapping):
                break  # a function of the value: size(), exists(), …
            if field not in value:
                found.append((f"{told}.{field}", "(missing)"))
                break
            value, told = value[field], f"{told}.{field}"
        else:
            found.append((told, _shown(value)))
            continue
        if not isinstance(value, Mapping):
            found.append((told, _shown(value)))
    return tuple(dict.fromkeys(found))


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, list) and len(value) > 3:
        return f"a list of {len(value)}"
    return _short(json.dumps(value, ensure_ascii=False, default=str))


def _short(text: str) -> str:
    told = " ".join(text.split())
    return told if len(told) <= _LONGEST else told[: _LONGEST - 1] + "…"
