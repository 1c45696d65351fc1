"""The evidence chain as a picture: the run's steps and its checks on one axis of time. Pure.

Positions are in parts of a hundred, so that the picture is as wide as the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from truegreen.board.pages import fields
from truegreen.board.words import clock, span
from truegreen.model import BY_NAME, stamp

_LEAST = 0.8  # parts of a hundred: a step of no time is still seen


@dataclass(frozen=True, slots=True)
class _Axis:
    """From the first moment to the last."""

    first: datetime
    last: datetime

    @property
    def seconds(self) -> float:
        return (self.last - self.first).total_seconds()

    def at(self, moment: datetime | None) -> float | None:
        if moment is None:
            return None
        share = (moment - self.first).total_seconds() / self.seconds if self.seconds else 0.0
        return round(100 * min(max(share, 0.0), 1.0), 2)


def chain(
    body: Mapping[str, Any], at: datetime, *, until: datetime | None = None
) -> dict[str, Any]:
    """``at``: when the run was recorded, where it notes no time itself. ``until``: of a run that is
    under way, how far its running step has come."""
    events, checks = fields.tables(body, "events"), fields.tables(body, "checks")
    moments = [fields.moment(one.get("at")) for one in [*events, *checks]]
    known = [moment for moment in moments if moment is not None] or [at]
    axis = _Axis(min(known), max([*known, until] if until else known))
    return {
        "began": stamp(axis.first),
        "ended": stamp(axis.last),
        "seconds": round(axis.seconds, 3),
        "ticks": _ticks(axis),
        "steps": _steps(events, axis, until),
        "checks": [_check(one, axis) for one in checks],
    }


def _ticks(axis: _Axis) -> list[dict[str, Any]]:
    if not axis.seconds:
        return []
    return [{"x": 25 * n, "told": span(axis.seconds * n / 4) if n else "0 s"} for n in range(5)]


def _steps(
    events: Sequence[Mapping[str, Any]], axis: _Axis, until: datetime | None
) -> list[dict[str, Any]]:
    """Each step from its first event to its last, or to ``until`` while it runs."""
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        name, moment = fields.text(event, "step"), fields.moment(event.get("at"))
        if not name:
            continue
        step = found.setdefault(name, {"name": name, "began": moment, "ended": moment})
        step["ended"] = moment or step["ended"]
        step["state"], step["text"] = fields.text(event, "state"), fields.text(event, "text")
    for step in found.values():
        if until is not None and step["state"] == "running":
            step["ended"] = until
    return [_bar(step, axis) for step in found.values()]


def _bar(step: Mapping[str, Any], axis: _Axis) -> dict[str, Any]:
    began, ended = step["began"], step["ended"]
    took = (ended - began).total_seconds() if began and ended else None
    x = axis.at(began) or 0.0
    width = max((axis.at(ended) or x) - x, _LEAST)
    return {
        "name": step["name"],
        "state": step["state"],
        "text": step["text"],
        "took": "" if took is None else span(max(took, 0.0)),
        "x": min(x, 100 - _LEAST),
        "width": round(width, 2),
    }


def _check(check: Mapping[str, Any], axis: _Axis) -> dict[str, Any]:
    moment, name = fields.moment(check.get("at")), fields.text(check, "name")
    status = fields.text(check, "status")
    return {
        "name": name,
        "question": BY_NAME[name].question if name in BY_NAME else "",
        "status": status if status in ("pass", "fail") else "unknown",
        "required": check.get("required") is True,
        "observed": fields.text(check, "observed"),
        "expected": fields.text(check, "expected"),
        "source": fields.text(check, "source"),
        "at": stamp(moment) if moment else None,
        "clock": clock(moment) if moment else "",
        "x": axis.at(moment),
        "digest": fields.text(check, "digest"),
    }
