"""How far the clocks of two observers may be apart, from what must have come before what. Pure.

We know that the release command began between our asking for it and our seeing it end. What its own
clock says about that moment bounds the difference of the two clocks; nothing else is assumed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Sighting:
    """``at`` on the observer's clock, which by our own clock lies from ``earliest`` to ``latest``.
    ``resolution``: seconds that its clock does not show."""

    observer: str
    at: datetime
    earliest: datetime
    latest: datetime
    resolution: float = 0.0


@dataclass(frozen=True, slots=True)
class Difference:
    """The observer's clock minus ours: from ``low`` to ``high`` seconds."""

    observer: str
    low: float
    high: float
    resolution: float

    @property
    def agrees(self) -> bool:
        """The two clocks may be the same."""
        return self.low <= 0.0 <= self.high

    @property
    def least(self) -> float:
        """By at least how many seconds they differ; 0.0 when they may agree."""
        return 0.0 if self.agrees else min(abs(self.low), abs(self.high))

    @property
    def margin(self) -> float:
        """By how much a time of this observer may be off ours, in seconds."""
        return self.resolution if self.agrees else max(abs(self.low), abs(self.high))


def difference(observer: str, sightings: Iterable[Sighting]) -> Difference | None:
    """What all sightings of ``observer`` together say; None without one. When they contradict each
    other (its clock was set in between), the widest span that covers them all."""
    own = [one for one in sightings if one.observer == observer]
    if not own:
        return None
    bounds = [
        (
            (one.at - one.latest).total_seconds(),
            (one.at - one.earliest).total_seconds() + one.resolution,
        )
        for one in own
    ]
    low, high = max(low for low, _ in bounds), min(high for _, high in bounds)
    if low > high:
        low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    return Difference(observer, low, high, max(one.resolution for one in own))
