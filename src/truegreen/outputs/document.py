"""The JSON document of ``ship`` and ``verify``. Its keys are a contract: its schema stands in
schemas/verification.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from truegreen.model import ReleaseState, Situation, diagnose, sentence
from truegreen.model.recommendation import recommend


def verification_document(
    situation: Situation,
    *,
    timings: Mapping[str, float],
    events: Sequence[Mapping[str, Any]] = (),
    notes: Sequence[str] = (),
    baseline: ReleaseState | None = None,
    overrides: Sequence[Mapping[str, Any]] = (),
    gates: Sequence[Mapping[str, Any]] = (),
    wave: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The document of one verification: JSON values only, keys in the contract's order."""
    required = set(situation.required)
    checks = []
    for item in situation.evidence:
        told = item.as_json()
        detail = told.pop("detail")
        checks.append({**told, "required": item.check in required, "detail": detail})
    schema = situation.schema
    findings = diagnose(situation)
    advice = recommend(situation, findings)
    return {
        "verdict": str(situation.judgement.verdict),
        "sentence": sentence(situation),
        "app": situation.app,
        "commit": situation.commit,
        "release": _release(situation.release),
        "serving": {
            **(_release(situation.serving) or {"version": None, "status": None, "current": False}),
            "commit": situation.serving.commit if situation.serving else None,
            "says": situation.served_commit,
        },
        "baseline": _release(baseline),
        "schema": None
        if schema is None
        else {
            "current": schema.current,
            "heads": list(schema.heads),
            "relation": schema.relation,
        },
        "checks": checks,
        "diagnosis": [finding.as_json() for finding in findings],
        "recommendation": advice.as_json() if advice else None,
        "overrides": [dict(override) for override in overrides],
        "gates": [dict(gate) for gate in gates],
        "wave": dict(wave) if wave is not None else None,
        "notes": list(notes),
        "timings": dict(timings),
        "events": [dict(event) for event in events],
    }


def _release(release: ReleaseState | None) -> dict[str, Any] | None:
    if release is None:
        return None
    return {"version": release.version, "status": release.status, "current": release.current}
