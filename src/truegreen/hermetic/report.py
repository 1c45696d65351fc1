"""What to say of a session's leaks: pure functions of its result, lines for people and JSON.

The line that pins a variable takes its value from the flag's declaration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from truegreen.hermetic.result import (
    BlockedConnection,
    LeakedRead,
    RecordedRead,
    SessionResult,
)

if TYPE_CHECKING:
    from truegreen.config import Config

Defaults = Mapping[str, Any]  # of declared flags, by their name
_SHOWN = 20
_POLICY = {"fail": "the session fails", "warn": "a warning", "record": "recorded"}


def defaults_of(config: Config) -> Defaults:
    """The declared flags' defaults."""
    return {name: flag.default for name, flag in config.flags.declared.items()}


def pin_line(variable: str, defaults: Defaults) -> str:
    """The line for truegreen.toml that settles ``variable``, with the table it belongs to."""
    if variable.endswith("*"):
        return f"[smoke] pass_env = [{_quoted(variable)}]"
    value = ""
    if variable in defaults:
        default = defaults[variable]
        value = str(int(default)) if isinstance(default, bool) else str(default)
    return f"[smoke.env] {variable} = {_quoted(value)}"


def describe(leak: LeakedRead, defaults: Defaults) -> str:
    """One line for people: which variable, where it was read, and the way out."""
    times = f", {leak.count} times" if leak.count > 1 else ""
    pin = printable(pin_line(leak.variable, defaults))
    if leak.variable.endswith("*"):
        state, way = "all with that beginning", f"pin those that it needs, or add {pin}"
    else:
        state = "has a value here" if leak.present else "absent here"
        way = f"add {pin}, pin it in the test, or name it in smoke.pass_env"
    return (
        f"{printable(leak.variable)} read at {leak.file}:{leak.line} "
        f"({state}{times}{_moment(leak)}): {way}"
    )


def describe_blocked(one: BlockedConnection) -> str:
    where = f" from {one.file}:{one.line}" if one.file else ""
    port = f":{one.port}" if one.port else ""
    return (
        f"connection to {one.host}{port}{where} refused by the seal ({one.count} times): "
        "replace it in the test, or name the host in smoke.allow_hosts"
    )


def summary(result: SessionResult, defaults: Defaults) -> list[str]:
    """The short report, its title first; empty when there is nothing to say."""
    found = [
        *result.unseen,
        *(describe(leak, defaults) for leak in result.leaks),
        *(describe_blocked(one) for one in result.blocked),
    ]
    if not found:
        return []
    more = [f"… and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return [f"environment leaks: {_POLICY[result.leaks_policy]}", *found[:_SHOWN], *more]


def document(result: SessionResult, defaults: Defaults) -> dict[str, Any]:
    """The JSON of ``truegreen hermetic report``."""
    own = [one for one in result.reads if not one.via]
    return {
        "sealed": result.sealed,
        "policy": result.leaks_policy,
        "tests": {
            name: getattr(result, name)
            for name in ("total", "passed", "failed", "errors", "skipped")
        },
        "leaks": [
            {**_told(one), "pin": printable(pin_line(one.variable, defaults))}
            for one in result.leaks
        ],
        "bulk_reads": [_told(one) for one in own if one.variable == "*"],
        "settled_reads": [_told(one) for one in own if one.state != "open" and one.variable != "*"],
        "library_reads": [_told(one) for one in result.reads if one.via],
        "blocked_connections": [one._asdict() for one in result.blocked],
        "unseen": list(result.unseen),
        "removed": [printable(one) for one in result.removed],
    }


def lines(result: SessionResult, defaults: Defaults) -> list[str]:
    """The long report for people."""
    told: list[str] = list(result.unseen)
    for leak in result.leaks:
        told.append(describe(leak, defaults))
        told += [f"    {test}" for test in leak.tests[:5]]
        if leak.test_count > 5:
            told.append(f"    … {leak.test_count} tests in all")
    told += [describe_blocked(one) for one in result.blocked]
    wholes = [one for one in result.reads if one.variable == "*" and not one.via]
    told += [
        f"the whole environment is read at {one.file}:{one.line} ({one.count} times): no leak by "
        "itself, and what is taken out of it is not seen"
        for one in wholes
    ]
    told.append(
        f"{len(result.leaks)} leaks, {len(result.blocked)} refused connections in "
        f"{result.total} tests, {'sealed' if result.sealed else 'NOT sealed'}"
    )
    return told


def verdict(result: SessionResult) -> tuple[int, str]:
    """The exit code of ``report`` and why: 0 no leak (or the policy lets it be), 1 leaks, 3 when
    there were no tests, or tests ended early without a leak: what else they read is not known."""
    if result.findings and result.leaks_policy == "fail":
        return 1, "the suite depends on what it neither pins nor lets through"
    if not result.total and not result.errors:
        return 3, "no tests: nothing was recorded"
    if result.failed or result.errors:
        broken = result.failed + result.errors
        return 3, f"{broken} of {result.total} tests did not come to their end: they may read more"
    return 0, "no leaks" if not result.findings else f"leaks are {_POLICY[result.leaks_policy]}"


def printable(text: str) -> str:
    """``text`` for any terminal: a name that is not UTF-8 is escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _told(one: LeakedRead | RecordedRead) -> dict[str, Any]:
    return {**one._asdict(), "variable": printable(one.variable), "tests": list(one.tests)}


def _moment(leak: LeakedRead) -> str:
    if leak.phase == "import":
        return f", import of {leak.during}"
    if leak.phase == "fixture":
        return f", fixture {leak.during}"
    if leak.phase == "collection":
        return ", collection"
    if len(leak.tests) == 1:
        return f", {leak.tests[0]}"
    return f", in {leak.test_count} tests" if leak.test_count else ""


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
