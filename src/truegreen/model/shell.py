"""What a shell command hides. Pure; nothing is run."""

from __future__ import annotations

import re

_SWALLOWS = re.compile(
    r"\|\|\s*(?:true|:|exit\s+0|echo\b[^;&|]*)"  # || true
    r"|;\s*(?=\S)(?!\s*(?:then|do|done|fi|else|elif|esac|;)\b)"  # a; b: the exit code is b's
    r"|(?<![|&])&\s*(?:$|[^&>\d])"  # a &: nobody waits for it
    r"|(?<!\|)\|(?!\|)"  # a | b: the exit code is b's
)
_STOPS_AT_FIRST_ERROR = re.compile(r"\bset\s+-\w*e|\bset\s+-o\s+errexit")
_PIPEFAIL = re.compile(r"\bpipefail\b")


def swallowed_part(command: str) -> str:
    """The part of a shell command that hides an exit code (``;``, ``|| true``, ``&``, ``|``), or
    "". What stands in quotes is not looked at; ``set -e`` excuses ``;``, pipefail excuses ``|``."""
    bare = re.sub(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"", lambda m: "_" * len(m.group()), command)
    for match in _SWALLOWS.finditer(bare):
        part = match.group().strip()
        if part == ";" and _STOPS_AT_FIRST_ERROR.search(bare[: match.start()]):
            continue
        if part == "|" and _PIPEFAIL.search(bare[: match.start()]):
            continue
        return part
    return ""
