"""Every error that TrueGreen raises on purpose, with its exit code and the next thing to do.

    TrueGreenError            1   something is wrong, and the message says what
    ├── UsageError            2   nothing was done: the call or its surroundings are off
    │   └── ConfigError       2   … in a file: names the file, the key, the value and the fix
    ├── Unverified            3   could not find out
    │   ├── PlatformUnreachable   no answer from the platform
    │   ├── PlatformRefused       it answered, and not with what was asked for (401, 403, 404, 422)
    │   └── DeadlineExceeded      our own deadline ended the waiting
    ├── Refused               4   a gate, or somebody else's lease; nothing was changed
    └── Interrupted           5   stopped after something was changed; the same command goes on

Nothing but the tree lives here. Standard library only: the service's half imports it too.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself would take 5 ms of every process that has a flag
if TYPE_CHECKING:
    from typing import ClassVar


class TrueGreenError(Exception):
    """Base of the tree. ``message`` says what is wrong, ``hint`` what to do next (may be empty)."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(TrueGreenError):
    """The call, or what it was called on, is off. Nothing was done."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file is off: names the file, the line where it is known, the key, the value
    and the fix."""

    def __init__(
        self, file: str, key: str, problem: str, *, fix: str = "", line: int | None = None
    ) -> None:
        place = f"{file}:{line}" if line else file
        where = f"{place}: {_shown(key)}" if key else place
        super().__init__(f"{where}: {problem}", hint=_shown(fix))
        self.file = file
        self.key = key
        self.problem = problem
        self.fix = fix
        self.line = line


def printable(text: str) -> str:
    """``text`` without what a terminal or a browser would obey: control characters are spaces."""
    return "".join(char if char.isprintable() else " " for char in text)


def _shown(text: str) -> str:
    """TOML's keys may hold anything: what would move a cursor or end a line is escaped."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


class Unverified(TrueGreenError):
    """Could not find out. Never read as success."""

    exit_code = 3


class PlatformUnreachable(Unverified):
    """The platform gave no answer: refused, reset, timed out, or answered with 5xx to the end."""


class PlatformRefused(Unverified):
    """The platform answered with a client error. ``status`` is the HTTP status."""

    def __init__(self, message: str, *, status: int, error_id: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.error_id = error_id


class DeadlineExceeded(Unverified):
    """Our own deadline passed before the platform was done."""


class Refused(TrueGreenError):
    """A gate or somebody else's lease says no. Nothing was changed."""

    exit_code = 4


class Interrupted(TrueGreenError):
    """Stopped after something was changed; the record says where, and the same command goes on."""

    exit_code = 5
