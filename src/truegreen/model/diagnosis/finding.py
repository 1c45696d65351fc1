"""One finding, and the lines that it quotes. Values only."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

Kind = Literal["cause", "state", "risk"]


class Quote(NamedTuple):
    """A line as it was read: ``number`` counts from 1 in the text that ``digest`` names."""

    source: str
    number: int
    text: str
    digest: str

    def as_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "line": self.number,
            "text": self.text,
            "digest": self.digest,
        }


class Finding(NamedTuple):
    """One named cause, state or risk. ``name`` is stable; ``cites`` are names of checks.

    ``kind``: a *cause* explains why a check fails, a *state* says what is so, a *risk* what may
    come of it. A cause has quotes, or cites evidence that says it in so many words.
    """

    name: str
    sentence: str
    cites: tuple[str, ...]
    next_step: str = ""
    kind: Kind = "cause"
    quotes: tuple[Quote, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "sentence": self.sentence,
            "cites": list(self.cites),
            "next_step": self.next_step,
            "quotes": [quote.as_json() for quote in self.quotes],
        }
