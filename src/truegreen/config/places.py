"""The line of a key in a TOML file, for messages: tomllib itself keeps no lines. Pure.

A reader of headers and of ``key =`` at the beginning of a line; what it does not find (inline
tables, keys written in quotes) has no line, and the message then names the key alone.
"""

from __future__ import annotations

import re

from truegreen.errors import ConfigError

_HEADER = re.compile(r"\s*\[(\[)?\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\-]+)\s*=")


def line_of(text: str, key: str) -> int | None:
    """The line, from 1, at which ``key`` (``freeze.window[0].zone``) stands in ``text``; its
    table's where the key itself is missing; None when not even that is found."""
    counts: dict[str, int] = {}
    where = ""
    best: int | None = None
    fence = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if fence:
            fence = "" if fence in line else fence
            continue
        header = _HEADER.match(line)
        if header:
            where = ".".join(part.strip().strip("\"'") for part in header[2].split("."))
            if header[1]:
                index = counts[where] = counts.get(where, -1) + 1
                where = f"{where}[{index}]"
            if where == key:
                return number
            if key.startswith(f"{where}."):
                best = number
            continue
        pair = _KEY.match(line)
        if pair and (f"{where}.{pair[1]}" if where else pair[1]) == key:
            return number
        for mark in ('"""', "'''"):
            if line.count(mark) % 2:
                fence = mark
    return best


def placed(error: ConfigError, text: str) -> ConfigError:
    """``error`` with the line of its key in ``text``, where that can be told."""
    line = line_of(text, error.key) if error.key and error.line is None else error.line
    return ConfigError(error.file, error.key, error.problem, fix=error.fix, line=line)
