"""What a condition may speak of, made from values that were read before. Pure.

A fact that could not be found out is no value of its own: it is left out, with the reason, so that
a condition that wants it is neither true nor false.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from truegreen.gates.result import GateResult
from truegreen.gates.serving import Past, Serving
from truegreen.gates.wave import Wave
from truegreen.model import stamp

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")  # strftime would ask the locale


@dataclass(frozen=True, slots=True)
class Facts:
    """``values`` by name; ``unknown`` says of a name that is not among them why not."""

    values: Mapping[str, Any]
    unknown: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Run:
    """What would be done: a service's commit to an environment, at a moment."""

    service: str
    environment: str
    app: str
    labels: tuple[str, ...]
    commit: str


def facts_of(
    run: Run,
    now: datetime,
    zone: ZoneInfo,
    answers: Sequence[GateResult],
    *,
    serving: Serving | None = None,
    wave: Wave | None = None,
    past: Past | None = None,
) -> Facts:
    """The facts of a run. What is None is not wanted by any condition, and was not asked."""
    values: dict[str, Any] = {
        "service": run.service,
        "environment": run.environment,
        "app": run.app,
        "labels": list(run.labels),
        "commit": run.commit,
        "now": moment_facts(now, zone),
        "gates": {one.name: _gate(one) for one in answers},
    }
    unknown: dict[str, str] = {}
    if serving is not None:
        if serving.known:
            values["serving"] = {"commit": serving.commit or "", "version": serving.version or 0}
        else:
            unknown["serving"] = serving.why
    if wave is not None:
        if wave.known:
            values["wave"] = wave.as_json()
        else:
            unknown["wave"] = wave.why
    if past is not None:
        values["last"] = _last(past, now)
    return Facts(values, unknown)


def moment_facts(now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The moment as the clock in ``zone`` shows it, and as an instant (``at``)."""
    local = now.astimezone(zone)
    return {
        "at": now.astimezone(UTC),
        "date": local.date().isoformat(),
        "time": local.strftime("%H:%M"),
        "weekday": _DAYS[local.weekday()],
        "year": local.year,
        "month": local.month,
        "day": local.day,
        "hour": local.hour,
        "minute": local.minute,
        "zone": str(zone),
    }


def _gate(result: GateResult) -> dict[str, Any]:
    return {
        "status": str(result.status),
        "open": result.open,
        "reason": result.reason,
        "findings": [one.as_json() for one in result.findings],
        "detail": dict(result.detail),
    }


def _last(past: Past, now: datetime) -> dict[str, Any]:
    """How the last run ended; its fields are not there before the first one."""
    if past.last_at is None:
        return {"runs": 0}
    return {
        "runs": max(1, len(past.durations)),
        "verdict": past.last_verdict or "none",
        "commit": past.last_commit or "",
        "at": stamp(past.last_at),
        "minutes_ago": int((now - past.last_at).total_seconds() // 60),
    }
