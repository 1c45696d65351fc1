"""Freeze windows as instants, and what of time they leave open. Pure values, no reading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from truegreen.config.model import FreezeScope
from truegreen.model import stamp


@dataclass(frozen=True, slots=True)
class Window:
    """One occurrence: UTC instants, ``start`` within it, ``end`` not. Empty when end <= start.

    ``local_end`` is the end as the wall clock in ``zone`` shows it; ``place`` is where it is
    written.
    """

    name: str
    kind: str  # deny | allow
    start: datetime
    end: datetime
    zone: str = "UTC"
    local_end: datetime | None = None
    reason: str = ""
    place: str = ""
    scope: FreezeScope = field(default_factory=FreezeScope)

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    @property
    def told(self) -> str:
        """Its name, and its reason where it has one."""
        return f"{self.name!r} ({self.reason})" if self.reason else repr(self.name)

    @property
    def told_end(self) -> str:
        """The end on the wall clock, and as an instant."""
        if self.local_end is None:
            return stamp(self.end)
        wall = self.local_end.isoformat(sep=" ", timespec="minutes")
        return f"{wall} {self.zone} ({stamp(self.end)})"

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "start": stamp(self.start),
            "end": stamp(self.end),
            "zone": self.zone,
            "reason": self.reason,
            "place": self.place,
            "environments": list(self.scope.environments),
            "apps": list(self.scope.apps),
            "labels": list(self.scope.labels),
        }


@dataclass(frozen=True, slots=True)
class Subject:
    """What would be shipped where, as scopes ask for it."""

    environment: str
    app: str
    labels: tuple[str, ...] = ()

    def is_meant(self, scope: FreezeScope) -> bool:
        """Whether a window of ``scope`` is about this."""
        return scope.concerns(self.environment, self.app, self.labels)


Interval = tuple[datetime, datetime]


def closed_times(windows: Sequence[Window], first: datetime, last: datetime) -> list[Interval]:
    """When nothing may be shipped between ``first`` and ``last``: within a deny window, and, when
    there is any allow window, outside of all of those. Sorted; touching intervals are one."""
    closed = [(w.start, w.end) for w in windows if w.kind == "deny"]
    allows = [(w.start, w.end) for w in windows if w.kind == "allow"]
    if allows:
        before = first
        for start, end in merged(allows):
            closed.append((before, start))
            before = end
        closed.append((before, last))
    cut = ((max(start, first), min(end, last)) for start, end in closed)
    return merged(cut)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The union of ``intervals``, without the empty ones."""
    result: list[Interval] = []
    for start, end in sorted(one for one in intervals if one[0] < one[1]):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def next_gap(
    closed: Sequence[Interval], moment: datetime, room: timedelta, last: datetime
) -> datetime | None:
    """The first instant from ``moment`` on that lies in none of ``closed`` and leaves ``room``
    before the next; None when there is none before ``last``."""
    at = moment
    for start, end in closed:
        if end <= at:
            continue
        if start - at >= max(room, timedelta.resolution):
            return at
        at = end
    return at if at < last else None
