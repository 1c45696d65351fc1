"""What the declared flags come to under some variables, and how two sets of variables differ.

Pure; for people, not for services: nothing that a service imports imports this. Secrets are masked
here, so that no output has to think of it. *absent*, *off* and *default* stay three things:
``state`` is what the variable says, ``value`` what holds, ``default`` what would hold without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from truegreen.flags.grammar import FlagProblem, printable, veiled
from truegreen.flags.registry import Flags
from truegreen.flags.values import Origin, anonymous, shown
from truegreen.secret import REDACTED

if TYPE_CHECKING:
    from truegreen.flags.grammar import Value


class FlagState(NamedTuple):
    """One flag under some variables; ``value``, ``raw`` and ``default`` are safe to show.

    ``state``: ``absent`` (nobody set it), ``unparseable``, for booleans ``on`` or ``off``, else
    ``set``. ``stops``: a start with these variables would be refused because of it.
    """

    name: str
    type: str
    state: str
    value: Value
    source: str
    present: bool
    raw: str | None
    default: Value
    fail: str
    owner: str
    expires: date | None
    expired: bool
    description: str
    problem: str
    fix: str
    stops: bool


class Explanation(NamedTuple):
    """Every declared flag, and what the variables have with the prefix that nobody declared."""

    flags: tuple[FlagState, ...]
    others: tuple[FlagProblem, ...]

    @property
    def holds(self) -> bool:
        """Everything parses, nothing is undeclared, nothing has expired."""
        return not self.others and not any(one.problem or one.expired for one in self.flags)

    @property
    def stale(self) -> tuple[FlagState, ...]:
        return tuple(one for one in self.flags if one.expired)


class Difference(NamedTuple):
    """One flag under two sets of variables.

    ``what``: ``value``, ``presence`` (the same value, but set in one and absent in the other),
    ``unparseable`` (in one of them at least), ``undeclared``, or empty: no difference.
    """

    name: str
    what: str
    one: str
    other: str


def explain(flags: Flags, variables: Mapping[str, str], today: date) -> Explanation:
    """Every declared flag under ``variables``. A flag has expired from its day on."""
    values, refused, tolerated = flags.survey(variables)
    stops = {problem.variable for problem in refused}
    fixes = {problem.variable: problem.fix for problem in (*refused, *tolerated)}
    states = tuple(
        _state(flags, name, values[name], values.origin(name), today)._replace(
            fix=fixes.get(name, ""), stops=name in stops
        )
        for name in flags.declared
    )
    return Explanation(states, tuple(one for one in refused if one.variable not in flags.declared))


def differences(
    flags: Flags, one: Mapping[str, str], other: Mapping[str, str], today: date
) -> tuple[Difference, ...]:
    """Each declared flag, and each undeclared variable with the prefix, under both."""
    values, others = flags.survey(one)[0], flags.survey(other)[0]
    first, second = explain(flags, one, today), explain(flags, other, today)
    found = [
        Difference(a.name, _what(a, b, values[a.name] == others[a.name]), told(a), told(b))
        for a, b in zip(first.flags, second.flags, strict=True)
    ]
    strange = {problem.variable for problem in (*first.others, *second.others)}
    for name in sorted(strange):
        told_of = _there(one, name), _there(other, name)
        found.append(Difference(printable(name), "undeclared", *told_of))
    return tuple(found)


def told(flag: FlagState) -> str:
    """``on``, ``absent (default off)``, ``7`` or ``unparseable (default 3)``."""
    if flag.state in ("absent", "unparseable"):
        return f"{flag.state} (default {shown(flag.default)})"
    return shown(flag.value)


def _state(flags: Flags, name: str, value: Value, origin: Origin, today: date) -> FlagState:
    flag = flags.declared[name]
    default = flags.default(name)
    raw = origin.raw
    if raw is not None:
        raw = str(_safe(veiled(raw) if origin.problem else raw, flag.secret))
    return FlagState(
        name=name,
        type=flag.type,
        state=_word(value, origin),
        value=_safe(value, flag.secret),
        source=origin.source,
        present=origin.present,
        raw=raw,
        default=_safe(default, flag.secret),
        fail=flag.fail,
        owner=flag.owner,
        expires=flag.expires,
        expired=flag.expires is not None and flag.expires <= today,
        description=flag.description,
        problem=origin.problem,
        fix="",
        stops=False,
    )


def _word(value: Value, origin: Origin) -> str:
    if not origin.present:
        return "absent"
    if origin.problem:
        return "unparseable"
    if isinstance(value, bool):
        return "on" if value else "off"
    return "set"


def _what(one: FlagState, other: FlagState, same: bool) -> str:
    if "unparseable" in (one.state, other.state):
        return "unparseable"
    if not same:
        return "value"
    return "" if one.present == other.present else "presence"


def _safe(value: Value, secret: bool) -> Value:
    return REDACTED if secret else anonymous(value)


def _there(variables: Mapping[str, str], name: str) -> str:
    return veiled(variables[name]) if name in variables else "absent"
