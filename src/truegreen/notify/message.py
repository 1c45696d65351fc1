"""What is told: the part of a run's record that a receiver acts on. Pure.

The document is published as ``outputs/schemas/notification.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from truegreen.errors import printable
from truegreen.outputs.run_record import RunRecord

FORMAT = "truegreen-notification/1"
_MOST = 2000  # characters of a text for people


def message(record: RunRecord, before: str | None) -> dict[str, Any]:
    """The message about ``record``; ``before`` is the verdict that was told last, if any.

    Its ``id`` is the same for the same run, so that a receiver can leave out what it has seen.
    """
    document = record.document
    name = "\n".join((record.app, record.environment, record.kind, record.verdict, record.at))
    return {
        "format": FORMAT,
        "id": sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32],
        "kind": record.kind,
        "at": record.at,
        "service": record.service,
        "environment": record.environment,
        "app": record.app,
        "commit": record.commit or None,
        "release": record.release or None,
        "verdict": record.verdict,
        "before": before,
        "sentence": record.sentence,
        "failed": [one["name"] for one in record.checks("fail") if one["required"]],
        "unknown": [one["name"] for one in record.checks("unknown") if one["required"]],
        "diagnosis": [
            {key: one[key] for key in ("name", "kind", "sentence", "next_step")}
            for one in document.get("diagnosis", ())
        ],
        "recommendation": document.get("recommendation"),
        "run_url": record.run_url or None,
    }


def trial(service: str, at: str) -> dict[str, Any]:
    """The message of ``notify test``: of the same form, and of kind ``test``."""
    told: dict[str, Any] = {
        "verdict": "green",
        "sentence": f"{service}: this is a test, and nothing has happened.",
        "app": service,
        "commit": None,
        "release": None,
        "checks": [],
    }
    return message(RunRecord(told, "test", at, service, "test"), None)


def title(told: Mapping[str, Any]) -> str:
    """One line for people."""
    before = f" (was {told['before']})" if told["before"] else ""
    return printable(f"{told['app']}: {told['verdict']}{before}")


def text(told: Mapping[str, Any]) -> str:
    """A few lines for people, without what a terminal or a chat would obey."""
    lines = [told["sentence"]]
    lines += [f"{one['sentence']} {one['next_step']}".strip() for one in told["diagnosis"][:3]]
    if told["recommendation"]:
        advice = told["recommendation"]
        lines.append(f"{advice['action']}: {advice['why']} {advice['command']}".strip())
    if told["run_url"]:
        lines.append(told["run_url"])
    return "\n".join(printable(line) for line in lines)[:_MOST]
