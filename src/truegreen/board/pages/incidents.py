"""The pages of the service's incidents, and of one: from cause to detection to resolution. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from truegreen.board.words import clock, span
from truegreen.incidents.document import Action, Incident
from truegreen.incidents.folder import Review
from truegreen.model import stamp


def list_document(reviews: Sequence[Review], problem: str, now: datetime) -> dict[str, Any]:
    """All reviews, newest first. ``problem``: why they cannot be read, or ""."""
    found = [_short(one, now) for one in reviews]
    found.sort(key=lambda one: (one["date"] or "", one["id"]), reverse=True)
    waiting = sum(one["open_actions"] for one in found)
    if problem:
        sentence = "The reviews cannot be read."
    elif not found:
        sentence = "No incident has been reviewed here."
    else:
        reviewed = "1 incident" if len(found) == 1 else f"{len(found)} incidents"
        sentence = f"{reviewed} on record; {_follow_ups(waiting)}."
    return {
        "page": "incidents",
        "at": stamp(now),
        "sentence": sentence,
        "problem": problem,
        "verdict": "red" if problem else "unverified" if waiting else "green",
        "incidents": found,
    }


def _follow_ups(waiting: int) -> str:
    if not waiting:
        return "no follow-up is open"
    return "1 follow-up is open" if waiting == 1 else f"{waiting} follow-ups are open"


def _short(review: Review, now: datetime) -> dict[str, Any]:
    incident = review.document.incident
    return {
        "id": review.id,
        "address": f"/incidents/{review.id}",
        "title": incident.title or review.id,
        "date": incident.date.isoformat() if incident.date else None,
        "severity": incident.severity,
        "status": incident.status,
        "app": incident.app,
        "release": incident.release,
        "open_actions": sum(1 for one in incident.actions if one.status != "closed"),
        "actions": len(incident.actions),
        "overdue": sum(1 for one in incident.actions if _state(one, now.date()) == "overdue"),
    }


def incident_document(review: Review, now: datetime) -> dict[str, Any]:
    """One review."""
    incident = review.document.incident
    summary = next(
        (one.text for one in review.document.sections if one.title.lower() == "summary"), ""
    )
    return {
        "page": "incident",
        "at": stamp(now),
        **_short(review, now),
        "file": review.path,
        "sentence": _sentence(incident, review.id),
        "verdict": "green" if incident.status in ("resolved", "closed") else "unverified",
        "author": incident.author,
        "trigger": incident.trigger,
        "blast_radius": incident.blast_radius,
        "impact": dict(incident.impact),
        "detection": _detection(incident),
        "waterfall": waterfall(incident),
        "summary": [_plain(one) for one in summary.split("\n\n")][:12],
        "actions": [_action(one, incident, now.date()) for one in _by_age(incident)],
    }


def _plain(markdown: str) -> str:
    """A paragraph in one line, without the marks of emphasis and code."""
    return re.sub(r"([*`]{1,3})(\S|\S.*?\S)\1", r"\2", " ".join(markdown.split()))


def _sentence(incident: Incident, name: str) -> str:
    title = (incident.title or name).rstrip(".")
    if incident.status == "lost":
        return f"Only the name is known: {title}."
    return f"{title}."


def _detection(incident: Incident) -> dict[str, str] | None:
    told = incident.detection
    if told is None:
        return None
    gap = "" if told.gap is None else span(told.gap)
    return {"by": _plain(told.by), "gap": gap, "faster": _plain(told.faster)}


def waterfall(incident: Incident) -> dict[str, Any] | None:
    """Began, detected, ended, as bars on one axis (parts of a hundred); None with no span."""
    moments = {"began": incident.began, "detected": incident.detected, "ended": incident.ended}
    known = {name: at for name, at in moments.items() if at is not None}
    if len(known) < 2 or "began" not in known:
        return None
    first, last = min(known.values()), max(known.values())
    seconds = (last - first).total_seconds() or 1.0

    def x(at: datetime) -> float:
        return round(100 * (at - first).total_seconds() / seconds, 2)

    def bar(name: str, told: str, kind: str, start: datetime, end: datetime) -> dict[str, Any]:
        left, right = sorted((x(start), x(end)))
        return {
            "name": name,
            "told": told,
            "kind": kind,
            "x": min(left, 99.0),
            "width": max(right - left, 1.0),
            "took": span(abs((end - start).total_seconds())),
        }

    bars = []
    began, detected, ended = known["began"], known.get("detected"), known.get("ended")
    if ended is not None:
        told = f"{clock(began)} to {clock(ended)} UTC"
        bars.append(bar("from its beginning to its end", told, "fail", began, ended))
    if detected is not None:
        told = f"{clock(began)} to {clock(detected)} UTC"
        bars.append(bar("until somebody knew", told, "unknown", began, detected))
    if detected is not None and ended is not None and ended > detected:
        told = f"{clock(detected)} to {clock(ended)} UTC"
        bars.append(bar("until it was mended", told, "pass", detected, ended))
    points = [
        {"name": name, "at": stamp(at), "clock": clock(at), "x": x(at)}
        for name, at in sorted(known.items(), key=lambda item: item[1])
    ]
    return {"bars": bars, "points": points, "seconds": seconds}


def _by_age(incident: Incident) -> list[Action]:
    """What is open first, the longest due before the others."""
    return sorted(
        incident.actions,
        key=lambda one: (one.status == "closed", one.due or date.max, one.id),
    )


def _state(action: Action, today: date) -> str:
    if action.status == "closed":
        return "closed"
    if action.waiver is not None and action.waiver.until >= today:
        return "waived"
    return "overdue" if action.due is not None and action.due < today else "open"


def _action(action: Action, incident: Incident, today: date) -> dict[str, Any]:
    began = incident.date
    ended = action.closed.at.date() if action.closed else today
    proof = action.proof
    told = "" if proof is None else proof.test or proof.drill or " ".join(proof.run)
    return {
        "id": action.id,
        "title": " ".join(action.title.split()),
        "owner": action.owner,
        "kind": action.kind,
        "strength": action.strength,
        "required": action.required,
        "state": _state(action, today),
        "due": action.due.isoformat() if action.due else None,
        "days": (ended - began).days if began else None,
        "proof": told,
        "seen_red": bool(proof and proof.red),
        "closed": stamp(action.closed.at) if action.closed else None,
        "command": ""
        if action.status == "closed"
        else f"truegreen action check {incident.id}/{action.id}",
    }
