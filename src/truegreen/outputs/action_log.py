"""Standard output and error as GitHub Actions reads them: a line is a command only when we mean it.

What we print quotes others (release output, health answers, config values, branch names), and a
table wraps it wherever a line is full. The runner obeys a line that begins with ``::`` and one that
holds ``##[`` anywhere; it skips blanks before the first, and may skip what is not seen at all.
Source: actions/runner, ActionCommand.cs (TryParseV2, TryParse). Knows no format and no verb.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable

_UNSEEN = r"[^\w!-~]*"  # neither a letter, a digit nor a sign of ASCII's
_COMMAND = re.compile(rf"({_UNSEEN}):({_UNSEEN}):")
_BEGUN = re.compile(rf"{_UNSEEN}(:{_UNSEEN})?\Z")
_OLD_COMMAND = re.compile(r"#(?=[^\w!-~ ]*#[^\w!-~ ]*\[)")


class ActionLog(io.TextIOWrapper):
    """A text stream whose lines are no commands: a blank goes in between the two signs. ``write``
    is for what is told, ``command`` for a command."""

    _begun = ""  # of the line that is being written, while it may still become a command

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):  # click finds out so whether it is a stream of bytes
            raise TypeError("a text is written here")
        super().write("".join(map(self._inert, text.splitlines(keepends=True))))
        return len(text)

    def command(self, line: str) -> None:
        super().write(f"{line}\n")
        self._begun = ""

    def _inert(self, part: str) -> str:
        whole = self._begun + part
        told = part
        if (found := _COMMAND.match(whole)) is not None:
            at = max(0, found.end() - 1 - len(self._begun))
            told = f"{part[:at]} {part[at:]}"
        ended = part[-1] in "\r\n"
        self._begun = "" if ended else whole if _BEGUN.match(whole) else "."
        return _OLD_COMMAND.sub("# ", told)


def guard_streams() -> None:
    """From now on nothing that this process tells is a command. For the start of a command line's
    process, under GitHub Actions."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if type(stream) is not io.TextIOWrapper:
            continue  # somebody else's, or none
        stream.flush()
        guarded = ActionLog(
            stream.buffer,
            encoding=stream.encoding,
            errors=stream.errors,
            newline="\n",
            line_buffering=True,
        )
        setattr(sys, name, guarded)


def print_commands(lines: Iterable[str], *, err: bool) -> None:
    """Workflow commands, to standard error with ``err``."""
    stream = sys.stderr if err else sys.stdout
    for line in lines:
        if isinstance(stream, ActionLog):
            stream.command(line)
        else:
            stream.write(f"{line}\n")
    stream.flush()
