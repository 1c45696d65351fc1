"""Where the target's database is, and the way back from it: facts that somebody else reads.

Nothing is asked here; ``truegreen.ship`` knows the platform.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SchemaAt:
    """``revisions``: those that the target's database is at, none for an empty one; None where that
    could not be found out (``why`` says why). ``source``: where it was read.

    ``rollback``: the commit of the release before the one that serves, None where there is none or
    it cannot be known.
    """

    revisions: tuple[str, ...] | None
    source: str = ""
    why: str = ""
    rollback: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "revisions": None if self.revisions is None else list(self.revisions),
            "source": self.source,
            "why": self.why,
            "rollback": self.rollback,
        }


SCHEMA_NOT_ASKED = SchemaAt(None, why="the platform was not asked where the schema is")
