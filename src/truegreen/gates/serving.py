"""What serves before anything is changed, and what earlier runs were like, as values. Who asks the
platform and the ledger is ``ship``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True, slots=True)
class Past:
    """An app's earlier runs: ``durations`` in seconds, newest last; how the last one ended.

    ``last_verdict`` is None when there was none, or it was interrupted.
    """

    durations: tuple[float, ...] = ()
    last_verdict: str | None = None
    last_commit: str | None = None
    last_at: datetime | None = None
