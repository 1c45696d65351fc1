"""Writes pins into ``[smoke.env]`` of truegreen.toml as text, so that comments and order stay."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from truegreen.errors import ConfigError, UsageError

_TABLE = re.compile(r"^[ \t]*\[[ \t]*smoke[ \t]*\.[ \t]*env[ \t]*\][ \t]*(#.*)?\r?$", re.MULTILINE)
_ANY_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)
_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def with_pins(text: str, pins: Mapping[str, str]) -> str:
    """``text`` with ``pins`` at the end of its ``[smoke.env]``, which is made when there is none.

    Nothing else is changed. Pins that are there already stay as they are. Raises ValueError when
    the table is written in a way that lines cannot be added to (inline, dotted keys), or a value
    is not UTF-8.
    """
    there = tomllib.loads(text).get("smoke", {}).get("env", {})
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = [
        f"{_key(name)} = {_string(value)}{newline}"
        for name, value in sorted(pins.items())
        if name not in there
    ]
    if not lines:
        return text
    # not inside a multi-line string: what comes out is read back, and has to say what is meant
    table = _TABLE.search(text)
    if table is None:
        if there:
            raise ValueError("smoke.env is not a table of its own: write it as [smoke.env]")
        end = "" if text.endswith("\n") or not text else newline
        after = f"{text}{end}{newline}[smoke.env]{newline}{''.join(lines)}"
    else:
        following = _ANY_TABLE.search(text, table.end())
        body = text[table.end() : following.start() if following else len(text)]
        at = table.end() + _end_of_last_value(body)
        before = text[:at]
        after = before + ("" if before.endswith("\n") else newline) + "".join(lines) + text[at:]
    said = tomllib.loads(after).get("smoke", {}).get("env")
    if said != {**there, **{name: value for name, value in pins.items() if name not in there}}:
        raise ValueError("smoke.env cannot be added to: write the pins by hand")
    return after


def write_pins(file: Path | None, pins: Mapping[str, str]) -> None:
    """Adds ``pins`` to the file, all of it or nothing. UsageError without truegreen.toml (a
    pyproject.toml is not written to); ConfigError when the table cannot be added to."""
    if file is None or file.name != "truegreen.toml":
        raise UsageError("there is no truegreen.toml to write pins into", hint="truegreen init")
    try:
        before = file.read_bytes().decode("utf-8")
        text = with_pins(before, pins)
    except ValueError as error:
        raise ConfigError(str(file), "smoke.env", str(error)) from error
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        part.write_bytes(text.encode("utf-8"))
        part.chmod(file.stat().st_mode & 0o7777)
        part.replace(file.resolve())
    finally:
        part.unlink(missing_ok=True)


def _end_of_last_value(body: str) -> int:
    """Where the last line of ``body`` ends that is neither blank nor a comment: comments before the
    next table belong to that."""
    end = at = body.find("\n") + 1 or len(body)
    for line in body[at:].splitlines(keepends=True):
        at += len(line)
        if line.strip() and not line.lstrip().startswith("#"):
            end = at
    return end


def _key(name: str) -> str:
    return name if _BARE.match(name) else _string(name)


def _string(value: str) -> str:
    value.encode("utf-8")  # UnicodeEncodeError, a ValueError, for what TOML cannot hold
    escaped = "".join(
        _SHORT.get(c) or (f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else c) for c in value
    )
    return f'"{escaped}"'
