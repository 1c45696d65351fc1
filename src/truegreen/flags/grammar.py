"""How a text, or a Python value, becomes a flag's value, or a problem with a fix.

Pure, and the only place of the tree that reads booleans. The boolean words are those on which
decouple, environs, pydantic and click agree; the empty string, on which they differ, is refused,
and so is everything that merely looks like one of them.
"""

from __future__ import annotations

from truegreen.errors import UsageError
from truegreen.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Value = bool | int | float | str | tuple[str, ...]

TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
FALSE = frozenset({"0", "false", "f", "no", "n", "off"})
UNITS: Mapping[str, float] = {
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
}

_BOOL_FIX = "one of 1, true, t, yes, y, on or 0, false, f, no, n, off; or unset it"
_DIGITS = "0123456789"
# What is longer is named by its length: somebody may have pasted a key into the wrong variable.
_LONGEST_SHOWN = 8
_DIGITS_MOST = 30
_BEYOND = 10**_DIGITS_MOST


class FlagProblem(Frozen):
    """One variable that cannot be read as a flag. ``value`` is shortened for people to read."""

    __slots__ = ("variable", "value", "problem", "fix")  # noqa: RUF023  # in __init__'s order
    variable: str
    value: str
    problem: str
    fix: str

    def __init__(self, variable: str, value: str, problem: str, fix: str) -> None:
        self._fill(variable, value, problem, fix)

    def __str__(self) -> str:
        return printable(f"{self.variable}: {self.problem} ({self.fix})")


class FlagError(UsageError):
    """Flags were refused. ``problems`` names every bad variable, not just the first."""

    def __init__(self, problems: Iterable[FlagProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[FlagError], tuple[tuple[FlagProblem, ...]]]:
        return FlagError, (self.problems,)


class Unparseable(ValueError):
    """What was given does not fit the flag's type: ``args`` are what is wrong, and the fix."""


def parse(kind: str, text: str, choices: tuple[str, ...] = ()) -> Value:
    """``text`` as a value of ``kind``. Raises Unparseable.

    bool: the words of TRUE and FALSE in any case. int: ASCII digits, ``-`` before them if need be.
    float: a decimal number, finite. duration: ``90s``, ``1h30m``, ``250ms``; units ms s m h d w,
    the larger before the smaller; the value is in seconds. url: ``scheme://host…``, nothing else
    is changed or checked. choice: exactly one of ``choices``. list: items between commas, without
    the blanks around them; none for an empty text; each one of ``choices``, if there are any.
    str: anything, the empty string too.
    """
    if kind == "choice":
        return _choice(text, choices)
    if kind == "list":
        return _list(text, choices)
    return _PARSERS[kind](text)


def take(kind: str, value: object, choices: tuple[str, ...] = ()) -> Value:
    """A Python value as one of a flag of ``kind``. True is no int, 1 is no bool. Unparseable.

    A whole number, of 30 digits at most as in a text, will do for a float and (in seconds) a
    duration, a list of strings for a list.
    """
    what = type(value)
    if isinstance(value, int) and not -_BEYOND < value < _BEYOND:
        raise Unparseable(f"a number of more than {_DIGITS_MOST} digits is no {kind}", _TYPES[kind])
    if kind in ("float", "duration") and isinstance(value, int | float) and what is not bool:
        number = float(value)
        if number - number == 0 and (kind == "float" or number >= 0):
            return number
    elif kind == "list" and isinstance(value, list | tuple):
        items = tuple(value)
        if all(type(one) is str and (not choices or one in choices) for one in items):
            return items
    elif kind == "choice" and isinstance(value, str):
        if value in choices:
            return value
    elif kind == "url" and isinstance(value, str):
        return _url(value) if value else value
    elif (what is bool and kind == "bool") or (what is int and kind == "int"):
        assert isinstance(value, int)
        return value
    elif isinstance(value, str) and kind == "str":
        return value
    fix = "one of " + ", ".join(choices) if choices else _TYPES[kind]
    raise Unparseable(f"{_shown(value)} is no {kind}", fix)


def undeclared(variable: str, text: str, prefix: str, declared: Iterable[str]) -> FlagProblem:
    """The problem of a variable with the flags' prefix that nobody declared."""
    import difflib  # only here: it costs more than all the rest, and a good start never needs it

    near = difflib.get_close_matches(variable, list(declared), n=1, cutoff=0.6)
    meant = f"did you mean {near[0]}? else " if near else ""
    return FlagProblem(
        variable,
        veiled(text),
        f"begins with {prefix} and is not declared",
        f"{meant}declare it in [flags.{variable}], or unset it",
    )


def veiled(text: str) -> str:
    """A text of which nothing is known, so it might be a secret: only what is too short for one."""
    return printable(text) if len(text) <= _LONGEST_SHOWN else f"({len(text)} characters)"


def printable(text: str) -> str:
    """``text`` for a line of output: what would move a cursor, end the line or be no character at
    all (an environment may hold any bytes) is escaped."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def spelt(value: object) -> str:
    """``str(value)``, or only what it is: Python spells no number of thousands of digits, and no
    table in a table in a table, without end."""
    try:
        return str(value)
    except (ValueError, RecursionError):
        return f"a {type(value).__name__}"


def _shown(value: object) -> str:
    text = spelt(value)
    shown = repr(value) if isinstance(value, str) else text
    return shown if len(shown) <= _LONGEST_SHOWN + 2 else f"a value of {len(text)} characters"


def _bool(text: str) -> bool:
    word = text.lower() if text.isascii() else text
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise Unparseable(f"{_shown(text)} is not a boolean", _BOOL_FIX)


def _int(text: str) -> int:
    digits = text.removeprefix("-")
    if _whole(digits) and len(digits) <= _DIGITS_MOST:
        return int(text)
    raise Unparseable(f"{_shown(text)} is not a whole number", "digits only; or unset it")


def _float(text: str) -> float:
    mantissa, mark, exponent = text.removeprefix("-").lower().partition("e")
    sign = exponent[:1] if exponent[:1] in ("+", "-") else ""
    if _decimal(mantissa) and (_whole(exponent.removeprefix(sign)) if mark else True):
        value = float(text)
        if value - value == 0:  # 1e999 is infinite
            return value
    raise Unparseable(f"{_shown(text)} is not a number", "a decimal number, e.g. 0.25; or unset it")


def _duration(text: str) -> float:
    total, rest, before = 0.0, text, float("inf")
    while rest:
        unit_on = rest.lstrip(_DIGITS + ".")
        after = unit_on.lstrip("".join(UNITS))
        number, unit = rest[: len(rest) - len(unit_on)], unit_on[: len(unit_on) - len(after)]
        if not _decimal(number) or not 0 < UNITS.get(unit, 0) < before:
            break
        total, rest, before = total + float(number) * UNITS[unit], after, UNITS[unit]
    if rest or not text:
        raise Unparseable(
            f"{_shown(text)} is not a duration", "e.g. 90s, 1h30m or 250ms; or unset it"
        )
    return total


def _url(text: str) -> str:
    from urllib.parse import urlsplit  # only here: a service without such flags need not load it

    try:
        parts = urlsplit(text)
        whole = bool(parts.scheme and parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        whole = False
    if whole and "://" in text and text.isascii() and text.isprintable() and " " not in text:
        return text
    # Never the text: what is nearly a URL may well have a password in it.
    raise Unparseable(
        f"a value of {len(text)} characters is not a URL", "scheme://host…; or unset it"
    )


def _choice(text: str, choices: tuple[str, ...]) -> str:
    if text in choices:
        return text
    raise Unparseable(f"{_shown(text)} is not among its choices", "one of " + ", ".join(choices))


def _list(text: str, choices: tuple[str, ...]) -> tuple[str, ...]:
    items = tuple(item.strip(" ") for item in text.split(",")) if text else ()
    if not all(items):
        raise Unparseable(
            f"{_shown(text)} has an empty item", "items with commas between; or unset it"
        )
    strange = [item for item in items if choices and item not in choices]
    if strange:
        raise Unparseable(
            f"{_shown(strange[0])} is not among its choices", "some of " + ", ".join(choices)
        )
    return items


def _whole(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _decimal(text: str) -> bool:
    before, dot, after = text.partition(".")
    return len(text) <= _DIGITS_MOST and _whole(before) and (not dot or _whole(after))


_PARSERS: Mapping[str, Callable[[str], Value]] = {
    "bool": _bool,
    "int": _int,
    "float": _float,
    "str": str,
    "duration": _duration,
    "url": _url,
}
_TYPES: Mapping[str, str] = {
    "bool": "True or False",
    "int": "an int",
    "float": "a finite float",
    "str": "a str",
    "choice": "one of its choices",
    "duration": "seconds, as a float from 0",
    "url": "a str",
    "list": "a tuple of str",
}
