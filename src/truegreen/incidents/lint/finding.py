"""One thing that lint has to say about a review."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """``error``: it is wrong. ``unknown``: it could not be found out. ``warning``: look at it."""

    ERROR = "error"
    UNKNOWN = "unknown"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """``rule`` is a stable name; ``line`` counts from 1 in ``file``; ``fix`` may be empty."""

    rule: str
    level: Level
    file: str
    line: int
    text: str
    fix: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "level": str(self.level),
            "file": self.file,
            "line": self.line,
            "text": self.text,
            "fix": self.fix,
        }


def exit_code(findings: Iterable[Finding]) -> int:
    """1 with an error, 3 when something could not be found out, else 0. Warnings do not weigh."""
    levels = {one.level for one in findings}
    return 1 if Level.ERROR in levels else 3 if Level.UNKNOWN in levels else 0
