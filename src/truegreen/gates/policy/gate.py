"""The policy gate itself: reads the facts that its conditions name, and only those, and answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from truegreen.config import Condition, Config
from truegreen.config.places import line_of
from truegreen.errors import ConfigError
from truegreen.gates.freeze.rules import known_zone
from truegreen.gates.policy.decide import NAME, decide
from truegreen.gates.policy.expression import Malformed, compiled, evaluate, paths_in
from truegreen.gates.policy.facts import Run, facts_of
from truegreen.gates.question import Question
from truegreen.gates.result import GateResult

__all__ = ["NAME", "ask", "needs"]
_GATE = re.compile(r"\bgates(?:\.(\w+)|\[\s*[\"'](\w+)[\"']\s*\])")


def needs(config: Config) -> Iterable[str]:
    """The gates whose answers a condition names: those are asked with this one."""
    names: dict[str, None] = {}
    for condition in config.policy.conditions:
        for match in _GATE.finditer(condition.holds):
            names[match[1] or match[2]] = None
    return tuple(names)


def ask(question: Question, answers: Sequence[GateResult]) -> GateResult:
    """Whether every condition that is about the question's environment holds.

    fail: one does not, or names a field that is not there. unknown: one needs a fact that could not
    be found out. Raises ConfigError, with line and column, for an expression that is none.
    """
    config = question.config
    file = str(config.file or "truegreen.toml")
    for condition in config.policy.conditions:
        check(condition, file)
    zone = known_zone(config.policy.zone, file, "policy.zone")
    mine = [
        one
        for one in config.policy.conditions
        if not one.environments or question.environment.name in one.environments
    ]
    named = {path.split(".")[0] for one in mine for path in paths_in(one.holds)}
    facts = facts_of(
        Run(
            config.name,
            question.environment.name,
            question.app,
            config.labels,
            question.full_commit,
        ),
        question.now,
        zone,
        answers,
        serving=question.serving if "serving" in named else None,
        wave=question.wave if "wave" in named else None,
        past=question.past if "last" in named else None,
    )
    outcomes = [evaluate(one, facts) for one in mine]
    dry_run = config.policy.mode == "report"
    return decide(outcomes, question.now, source=Path(file).name, dry_run=dry_run)


def check(condition: Condition, file: str) -> None:
    """Raises ConfigError with the line and the column in ``file`` when the condition's expression
    cannot be read."""
    try:
        compiled(condition.holds)
    except Malformed as error:
        key = f"{condition.key}.holds"
        line, column = _place(file, key, error)
        where = f"column {column}" if line else f"line {error.line}, column {error.column} of it"
        raise ConfigError(
            file,
            key,
            f"{where}: {error.problem}",
            fix="it is CEL, e.g. wave.prs.size() <= 12",
            line=line,
        ) from error


def _place(file: str, key: str, error: Malformed) -> tuple[int | None, int]:
    """Where in the file it is; the line is None where that cannot be told."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None, error.column
    line = line_of(text, key)
    if line is None:
        return None, error.column
    opening = re.match(r"\s*holds\s*=\s*(\"{3}|'{3}|[\"'])", text.splitlines()[line - 1])
    if opening is None:
        return None, error.column
    if len(opening[1]) == 3 and text.splitlines()[line - 1][opening.end() :] == "":
        return line + error.line, error.column  # TOML drops the first line break
    if error.line > 1:
        return line + error.line - 1, error.column
    return line, opening.end() + error.column
