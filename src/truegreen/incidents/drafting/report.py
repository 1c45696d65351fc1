"""The release command's own report, as it stands in the evidence of ``release.report``. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from truegreen.incidents.document.times import told
from truegreen.incidents.drafting.episode import Recorded
from truegreen.incidents.record import RunRecord


def phases(recorded: Recorded) -> Sequence[Mapping[str, Any]]:
    """The phases of the release command's own report, in order."""
    return [one for one in items(report_of(recorded.run), "phases") if isinstance(one, Mapping)]


def report_of(run: RunRecord) -> Mapping[str, Any]:
    answer = run.of("release.report")
    report = answer.detail.get("report") if answer else None
    return report if isinstance(report, Mapping) else {}


def items(table: Mapping[str, Any], key: str) -> list[Any]:
    value = table.get(key)
    return value if isinstance(value, list) else []


def phase_text(phase: Mapping[str, Any]) -> str:
    name, status = str(phase.get("name")), str(phase.get("status"))
    text = f"Phase {name}: {status}"
    if phase.get("to"):
        text += f", schema from {phase.get('from') or 'nothing'} to {phase['to']}"
    if isinstance(phase.get("total"), int):
        text += f", {phase.get('failed')} of {phase['total']} tests failed"
        reasons = {
            f"{one.get('message')} {one.get('body') or ''}".strip()
            for one in items(phase, "failures")
            if isinstance(one, Mapping)
        }
        if reasons:
            text += f" ({'; '.join(sorted(reasons)[:3])})"
        if isinstance(phase.get("sealed"), bool):
            text += ", sealed" if phase["sealed"] else ", not sealed"
    if isinstance(phase.get("seconds"), int | float) and phase["seconds"] >= 0.05:
        text += f", {told(float(phase['seconds']))}"
    return text
