"""A survey as the one document that ``truegreen scan --json`` prints; SARIF, annotations and the
terminal are made of it (``outputs``). Its schema is ``outputs/schemas/scan.json``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from truegreen.gates.scan.gate import counts, decide
from truegreen.gates.scan.judge import Weighed
from truegreen.gates.scan.survey import Survey
from truegreen.model import Status, stamp

EXIT = {Status.PASS: 0, Status.FAIL: 1, Status.UNKNOWN: 3}


def as_document(survey: Survey, now: datetime) -> dict[str, Any]:
    """Status, reason and every finding; nothing in it shows a value that was found."""
    status, reason, clears = decide(survey)
    return {
        "source": survey.source,
        "status": str(status),
        "reason": "; ".join([reason, *counts(survey)]),
        "clears": clears,
        "texts": survey.texts,
        "remembered": survey.remembered,
        "suppressions": survey.file.name,
        "at": stamp(now),
        "findings": [_finding(one) for one in survey.findings],
    }


def _finding(one: Weighed) -> dict[str, Any]:
    return {
        "state": _state(one),
        "kind": one.kind,
        "path": one.path,
        "line": one.line,
        "column": one.column,
        "text": one.text,
        "fingerprint": one.fingerprint,
        "blocks": one.blocks,
    }


def _state(one: Weighed) -> str:
    if one.is_hit:
        return "suppressed" if one.suppressed else "found"
    return one.kind
