"""The beta program's walkthrough: guided steps, taken in order, with progress a person.

Behind FLAG_BETA_WALKTHROUGH.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from raptor import auth, db
from raptor.errors import refuse
from raptor.models import walkthrough_progress as progress


@dataclass(frozen=True)
class Step:
    """One thing to do. ``name`` stands in the database: never rename it."""

    name: str
    title: str


STEPS = (
    Step("welcome", "Read what the beta is, and what it is not yet"),
    Step("token", "Sign in with your token from your own machine"),
    Step("first-call", "Call the API once and read what it answers"),
    Step("feedback", "Send us the first thing that surprised you"),
)


def completed(connection: Connection, person_id: int) -> dict[str, datetime]:
    """The steps that a person has done, and when."""
    rows = connection.execute(
        select(progress.c.step, progress.c.completed_at).where(progress.c.person_id == person_id)
    )
    return {row.step: row.completed_at for row in rows}


def next_step(done: Mapping[str, datetime]) -> Step | None:
    """The first step that is not done; None at the end.

    A step that was put in later is next for people who had passed that place.
    """
    return next((step for step in STEPS if step.name not in done), None)


def report(done: Mapping[str, datetime]) -> dict[str, Any]:
    """A person's progress, as the API gives it. Steps that no longer exist are left out."""
    following = next_step(done)
    return {
        "steps": [
            {
                "name": step.name,
                "title": step.title,
                "completed_at": done[step.name].isoformat() if step.name in done else None,
            }
            for step in STEPS
        ],
        "completed": sum(step.name in done for step in STEPS),
        "total": len(STEPS),
        "next": following.name if following else None,
    }


blueprint = Blueprint("beta_walkthrough", __name__, url_prefix="/beta/walkthrough")
blueprint.before_request(auth.require_person)


@blueprint.get("")
def read() -> Response:
    """How far the person who asks has come."""
    with db.current().engine.connect() as connection:
        return jsonify(report(completed(connection, auth.person().id)))


@blueprint.post("/steps/<name>")
def complete(name: str) -> Response:
    """Completes a step: 201, or 200 when it was done before. 409 when another one comes first."""
    if name not in {step.name for step in STEPS}:
        return refuse(404, "no_such_step", steps=[step.name for step in STEPS])
    person_id = auth.person().id
    with db.current().engine.connect() as connection:
        done = completed(connection, person_id)
    status = 200
    if name not in done:
        following = next_step(done)
        if following is None or following.name != name:
            return refuse(409, "another_step_comes_first", next=following and following.name)
        status = 201 if _record(person_id, name) else 200
    with db.current().engine.connect() as connection:
        response = jsonify(report(completed(connection, person_id)))
    response.status_code = status
    return response


def _record(person_id: int, name: str) -> bool:
    """False when the same request came twice at the same moment, and the other one was first."""
    try:
        with db.current().engine.begin() as connection:
            connection.execute(
                insert(progress).values(
                    person_id=person_id, step=name, completed_at=datetime.now(UTC)
                )
            )
    except IntegrityError:
        return False
    return True
