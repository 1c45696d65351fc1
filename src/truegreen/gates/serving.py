"""What serves before anything is changed, as a value. Who asks the platform is ``ship``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Serving:
    """What serves before anything is changed.

    ``known`` is False when that could not be found out (``why`` says why); True without a
    ``commit``: nothing serves yet. ``commit`` is what the platform says of the slug.
    """

    commit: str | None
    version: int | None
    known: bool
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "commit": self.commit,
            "version": self.version,
            "known": self.known,
            "why": self.why,
        }


NOT_ASKED = Serving(None, None, False, "the platform was not asked what serves")
