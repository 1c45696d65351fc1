"""CDEvents 0.5.1: what happened, for whatever listens. https://cdevents.dev

There is no event for a deployment that failed: a red verdict is a ``pipelinerun.finished`` with
outcome ``failure`` and an ``incident.detected``. What could not be found out is outcome ``error``.
A service counts as deployed, upgraded or rolled back only when the platform says that the release
is current. Ids follow from the content, so an event sent twice is one event.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from truegreen.outputs.run_record import RunRecord

VERSION = "0.5.1"
_OUTCOMES = {"green": "success", "red": "failure", "unverified": "error"}
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://cdevents.dev/truegreen")


def cdevents(record: RunRecord) -> str:
    """The events of a run, one JSON document a line, in the order in which they happened."""
    return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events(record))


def events(record: RunRecord) -> Iterator[dict[str, Any]]:
    """The events as values."""
    environment = {"id": record.environment}
    service = {"environment": environment, "artifactId": _artifact(record)}
    smoke = record.smoke
    if smoke is not None:
        yield _event(
            record,
            "testsuiterun.finished",
            f"{record.title}/smoke",
            {
                "environment": environment,
                "testSuite": {"id": "smoke", "name": "smoke suite of the release command"},
                "outcome": "success" if smoke["status"] == "pass" else "failure",
            },
        )
    happened = _service_event(record)
    if happened:
        yield _event(record, happened, record.app, service)
    finished: dict[str, Any] = {
        "pipelineName": f"truegreen {record.kind}",
        "outcome": _OUTCOMES[record.verdict],
    }
    if record.run_url:
        finished["uri"] = record.run_url
    if record.verdict != "green":
        finished["errors"] = record.sentence
    yield _event(record, "pipelinerun.finished", f"{record.title}/{record.kind}", finished)
    if record.verdict == "red" or record.recovered:
        kind = "incident.detected" if record.verdict == "red" else "incident.resolved"
        yield _event(
            record,
            kind,
            f"{record.app}/{record.environment}",
            {
                "description": record.sentence,
                "environment": environment,
                "service": {"id": record.app},
                "artifactId": _artifact(record),
            },
        )


def _service_event(record: RunRecord) -> str:
    release, baseline = record.document["release"], record.document["baseline"]
    if not release or not release["current"] or record.kind == "verify":
        return ""
    if record.kind == "rollback":
        return "service.rolledback"
    return "service.upgraded" if baseline is not None else "service.deployed"


def _artifact(record: RunRecord) -> str:
    """A package URL: https://github.com/package-url/purl-spec"""
    return f"pkg:generic/{quote(record.service, safe='')}@{record.commit or 'unknown'}"


def _event(
    record: RunRecord, kind: str, subject: str, content: Mapping[str, Any]
) -> dict[str, Any]:
    seed = json.dumps([record.source, record.at, kind, subject, content], sort_keys=True)
    return {
        "context": {
            "specversion": VERSION,
            "id": str(uuid.uuid5(_SPACE, seed)),
            "source": record.source,
            "type": f"dev.cdevents.{kind}.0.3.0",
            "timestamp": record.at,
        },
        "subject": {"id": subject, "source": record.source, "content": dict(content)},
        "customData": {
            "verdict": record.verdict,
            "sentence": record.sentence,
            "commit": record.commit,
            "release": record.release,
        },
        "customDataContentType": "application/json",
    }
