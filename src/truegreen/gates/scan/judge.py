"""What a hit counts for: weighed against the suppressions, and the globs of what is left out.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from truegreen.gates.result import Finding
from truegreen.gates.scan.found import Scanned, Sighting
from truegreen.gates.scan.suppressions import Suppressions

EXCLUDED, NOT_SCANNED, UNREAD, UNUSED = (
    "excluded", "not-scanned", "unreadable", "suppression-unused",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Weighed:
    """A finding with its place taken apart. ``line`` 0: the whole of ``path``. ``suppressed``:
    somebody took it on; ``blocks``: it keeps the gate shut."""

    kind: str
    path: str
    text: str
    line: int = 0
    column: int = 0
    fingerprint: str = ""
    blocks: bool = True
    suppressed: bool = False

    @property
    def is_hit(self) -> bool:
        """Whether this is something found, not something left out."""
        return self.line > 0

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path

    def as_finding(self) -> Finding:
        return Finding(self.kind, self.where, self.text, self.fingerprint, self.blocks)


def weigh(
    path: str, scanned: Scanned, suppressions: Suppressions | None, today: date
) -> Iterator[Weighed]:
    """A finding for each sighting and gap of the blob at ``path``. A suppression holds through
    its day ``expires``; an expired one blocks and says so."""
    for seen in scanned.sightings:
        yield _sighting(path, seen, suppressions, today)
    for gap in scanned.gaps:
        kind = UNREAD if gap.unread else NOT_SCANNED
        yield Weighed(kind, path + gap.part, gap.why, blocks=gap.unread)


def _sighting(path: str, seen: Sighting, suppressions: Suppressions | None, today: date) -> Weighed:
    entry = suppressions.entries.get(seen.fingerprint) if suppressions else None
    text, holds = seen.masked, False
    if entry is not None and today <= entry.expires:
        holds = True
        text = f"{text} (suppressed until {entry.expires} by {entry.owner}: {entry.reason})"
    elif entry is not None:
        text = f"{text} (its suppression by {entry.owner} expired on {entry.expires})"
    return Weighed(
        seen.kind,
        path + seen.part,
        text,
        seen.line,
        seen.column,
        # without a file the key is this scan's own, and its fingerprints are nobody's
        seen.fingerprint if suppressions else "",
        blocks=not holds,
        suppressed=holds,
    )


def unused(suppressions: Suppressions, seen: Iterable[str]) -> Iterator[Weighed]:
    """The suppressions that matched none of the fingerprints ``seen``."""
    there = set(seen)
    for mark, entry in suppressions.entries.items():
        if mark not in there:
            text = f"matches nothing any more ({entry.reason}; {entry.owner}): remove it"
            yield Weighed(UNUSED, suppressions.file, text, fingerprint=mark, blocks=False)


def excluder(globs: Iterable[str]) -> re.Pattern[str] | None:
    """A pattern that matches the whole of each path that one of ``globs`` names; None without any.

    ``*`` and ``?`` stay within one folder, ``**`` crosses folders; a glob that names a folder
    takes all that is in it. Paths are relative to the service's root, with ``/``.
    """
    parts = [_translate(glob) for glob in globs if glob.strip("/")]
    return re.compile("|".join(parts), re.DOTALL) if parts else None


def _translate(glob: str) -> str:
    tokens = re.findall(r"\*\*/|\*\*|\*|\?|[^*?]+", re.sub(r"^(\./)+", "", glob).strip("/"))
    meaning = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    body = "".join(meaning.get(token, re.escape(token)) for token in tokens)
    return rf"(?:{body}(?:/.*)?\Z)"
