"""Which records of the ledger are deployments, as DORA counts them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from truegreen.ledger.record import Record
from truegreen.model.dora import Deployment


def deployments(records: Iterable[Record]) -> list[Deployment]:
    """The runs of ship, oldest first. Runs that found the same release done already, refused or
    interrupted ones, and other kinds of records are no deployments."""
    found: list[Deployment] = []
    for record in records:
        if record.kind not in ("ship", "retry", "rollback") or record.verdict is None:
            continue
        if _nothing_new(record, found):
            continue
        mends = bool(found) and found[-1].verdict == "red"
        found.append(
            Deployment(
                record.at,
                record.commit,
                record.verdict,
                _committed(record.body),
                rework=mends or record.kind in ("retry", "rollback"),
                reached=_reached(record.body),
            )
        )
    return found


def _nothing_new(record: Record, before: Sequence[Deployment]) -> bool:
    """A run that found everything as an earlier one had left it."""
    timings = record.body.get("timings")
    notes = record.body.get("notes")
    if not isinstance(timings, Mapping) or not isinstance(notes, list):
        return False
    again = any("not released again" in str(note) for note in notes)
    same = bool(before) and before[-1].commit == record.commit
    return again and same and before[-1].verdict == record.verdict


def _reached(body: Mapping[str, Any]) -> bool:
    """Whether the run's release became the current one; True where its record does not say."""
    if "release" not in body:
        return True
    release = body["release"]  # None: it was not even built
    return isinstance(release, Mapping) and bool(release.get("current"))


def _committed(body: Mapping[str, Any]) -> datetime | None:
    value = body.get("committed_at")
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
