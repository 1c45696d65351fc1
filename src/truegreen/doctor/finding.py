"""What a rule finds. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``path`` is relative to the root, ``line`` counts from 1. ``told`` says what stands there."""

    rule: str
    level: Level
    path: str
    line: int
    told: str

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "level": self.level,
            "path": self.path,
            "line": self.line,
            "told": self.told,
        }
