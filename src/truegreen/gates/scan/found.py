"""What a scan comes to, as frozen values: a match in a buffer, a hit in a file, what was not
scanned. Pure; a value that was found is a Secret and never shows itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from truegreen.secret import Secret


@dataclass(frozen=True, slots=True)
class Match:
    """Bytes ``start`` to ``end`` of one buffer are a ``kind``. ``value`` is normalised (without
    separators), so that two ways to write one number are one value; ``masked`` may be shown."""

    start: int
    end: int
    kind: str
    value: Secret
    masked: str

    @property
    def order(self) -> tuple[int, int, str]:
        return self.start, -self.end, self.kind


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found. ``line`` and ``column`` (in characters) count from 1."""

    kind: str
    path: str
    line: int
    column: int
    value: Secret
    masked: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """A hit as it is kept and compared: the value is only its keyed fingerprint. ``part`` names
    the place within a container (``!member`` of an archive, ``#cell-3`` of a notebook)."""

    kind: str
    line: int
    column: int
    masked: str
    fingerprint: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that was not scanned, and why. ``unread``: it should have been, so nobody knows;
    otherwise it is left out by what it is (binary, an image) and only listed."""

    part: str
    why: str
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Scanned:
    """All that one blob came to. ``texts`` counts what was looked through in it."""

    sightings: tuple[Sighting, ...] = ()
    gaps: tuple[Gap, ...] = ()
    texts: int = 0
    size: int = field(default=0, compare=False)  # bytes looked at
