"""How the text of an environment variable becomes a flag's value, or a problem with a fix.

Pure. The boolean words are those on which decouple, environs, pydantic and click agree; the empty
string, on which they differ, is refused, and so is everything that merely looks like one of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from truegreen.errors import UsageError

TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
FALSE = frozenset({"0", "false", "f", "no", "n", "off"})

_BOOL_FIX = "one of 1, true, t, yes, y, on or 0, false, f, no, n, off; or unset it"


class FlagProblem(NamedTuple):
    """One variable that cannot be read as a flag. ``value`` is shortened for people to read."""

    variable: str
    value: str
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.problem} ({self.fix})"


class FlagError(UsageError):
    """Flags were refused. ``problems`` names every bad variable, not just the first."""

    def __init__(self, problems: Iterable[FlagProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


class Unparseable(ValueError):
    """The text does not fit the flag's type: ``args`` are what is wrong, and the fix."""


def parse(kind: str, text: str, choices: tuple[str, ...] = ()) -> bool | int | str:
    """``text`` as a value of ``kind`` (bool, int, str, choice). Raises Unparseable.

    bool: the words of TRUE and FALSE in any case. int: ASCII digits, with ``-`` before them if
    need be. choice: exactly one of ``choices``. str: anything, the empty string too.
    """
    if kind == "bool":
        word = text.lower() if text.isascii() else text
        if word in TRUE:
            return True
        if word in FALSE:
            return False
        raise Unparseable(f"{_shown(text)} is not a boolean", _BOOL_FIX)
    if kind == "int":
        digits = text.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) <= 30:
            return int(text)
        raise Unparseable(f"{_shown(text)} is not a whole number", "digits only; or unset it")
    if kind == "choice":
        if text in choices:
            return text
        raise Unparseable(
            f"{_shown(text)} is not among its choices", "one of " + ", ".join(choices)
        )
    return text


def fits(kind: str, value: object, choices: tuple[str, ...] = ()) -> bool:
    """Whether a Python value is one of a flag of ``kind``. True is no int, 1 is no bool."""
    if kind == "choice":
        return value in choices
    return type(value) is {"bool": bool, "int": int}.get(kind, str)


def undeclared(variable: str, text: str, prefix: str, declared: Iterable[str]) -> FlagProblem:
    """The problem of a variable with the flags' prefix that nobody declared."""
    import difflib  # only here: it costs more than all the rest, and a good start never needs it

    near = difflib.get_close_matches(variable, list(declared), n=1, cutoff=0.6)
    meant = f"did you mean {near[0]}? else " if near else ""
    return FlagProblem(
        variable,
        # Nothing is known of it, so it might be a secret: only what is too short to be one.
        text if len(text) <= 8 else f"({len(text)} characters)",
        f"begins with {prefix} and is not declared",
        f"{meant}declare it in [flags.{variable}], or unset it",
    )


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")
