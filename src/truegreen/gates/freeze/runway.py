"""How long a release needs, so that it is over before a freeze begins. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Runway:
    """``length`` is what a release must be given; ``runs`` earlier ones said so, or the floor."""

    length: timedelta
    floor: timedelta
    runs: int

    @property
    def told(self) -> str:
        if self.runs and self.length > self.floor:
            return f"a release takes {minutes(self.length)}, by the last {self.runs}"
        return f"a release is given {minutes(self.length)}"

    def as_json(self) -> dict[str, Any]:
        return {
            "seconds": round(self.length.total_seconds(), 3),
            "floor": self.floor.total_seconds(),
            "runs": self.runs,
        }


def runway(durations: Sequence[float], floor: float) -> Runway:
    """The room that a release needs: what nine of ten earlier ones took (``durations``, seconds),
    and never less than ``floor`` seconds."""
    usable = sorted(one for one in durations if 0 <= one < 7 * 86400)
    least = timedelta(seconds=floor)
    if not usable:
        return Runway(least, least, 0)
    rank = math.ceil(0.9 * len(usable)) - 1
    return Runway(max(least, timedelta(seconds=usable[rank])), least, len(usable))


def minutes(length: timedelta) -> str:
    """A length of time in the two largest units that it has."""
    seconds = max(0, round(length.total_seconds()))
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    parts = [(days, "d"), (hours, "h"), (rest // 60, "min"), (rest % 60, "s")]
    told = [f"{amount} {unit}" for amount, unit in parts if amount][:2]
    return " ".join(told) or "0 s"
