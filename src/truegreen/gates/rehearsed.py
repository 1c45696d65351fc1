"""What a rehearsal of the release said, as a value. Who rehearses is ``ship``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """``verdict``: green, red or unverified, as of the release that was rehearsed; None where none
    was (``why`` says why: no token, nothing serves). ``sentence`` is the rehearsal's own."""

    verdict: str | None
    sentence: str = ""
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"verdict": self.verdict, "sentence": self.sentence, "why": self.why}


REHEARSAL_NOT_ASKED = Rehearsed(None, why="nobody was there to rehearse it")
