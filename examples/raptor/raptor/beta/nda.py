"""The beta program's confidentiality agreement: read it, acknowledge it once a version.

Texts are files, `N.txt`; the highest N is in force. What a person acknowledged stays on record.
Behind FLAG_BETA_NDA_ACK.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask import Blueprint, Response, abort, jsonify, request
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from raptor import auth, db
from raptor.errors import refuse
from raptor.models import nda_acknowledgements as acknowledgements

_NAME = re.compile(r"([1-9][0-9]*)\.txt\Z")


@dataclass(frozen=True)
class Agreement:
    """One version of the text."""

    version: int
    text: str


def in_force(folder: Path) -> Agreement:
    """The newest text in ``folder``. Raises LookupError when there is none."""
    versions = {
        int(match[1]): path for path in folder.iterdir() if (match := _NAME.match(path.name))
    }
    if not versions:
        raise LookupError(f"{folder} holds no N.txt")
    newest = max(versions)
    return Agreement(version=newest, text=versions[newest].read_text(encoding="utf-8"))


def acknowledged_at(connection: Connection, person_id: int, version: int) -> datetime | None:
    """When a person acknowledged a version; None when they have not."""
    moment: datetime | None = connection.execute(
        select(acknowledgements.c.acknowledged_at).where(
            acknowledgements.c.person_id == person_id, acknowledgements.c.version == version
        )
    ).scalar_one_or_none()
    return moment


blueprint = Blueprint("beta_nda", __name__, url_prefix="/beta/nda")
blueprint.before_request(auth.require_person)


def _current() -> Agreement:
    return in_force(db.current().settings.nda_texts)


@blueprint.get("")
def read() -> Response:
    """The text in force, and whether the person who asks has acknowledged it."""
    agreement = _current()
    with db.current().engine.connect() as connection:
        moment = acknowledged_at(connection, auth.person().id, agreement.version)
    return jsonify(
        version=agreement.version,
        text=agreement.text,
        acknowledged_at=moment.isoformat() if moment else None,
    )


@blueprint.post("/acknowledgements")
def acknowledge() -> Response:
    """Takes ``{"version": N}``: 201 the first time; 200 with the first record when it is repeated.

    A version other than the one in force is 409: nobody acknowledges what they were not shown.
    """
    body = request.get_json()
    version = body.get("version") if isinstance(body, dict) else None
    if type(version) is not int:
        return refuse(400, "version_missing", fix='send {"version": N} of the text that was read')
    agreement = _current()
    if version != agreement.version:
        return refuse(409, "not_the_version_in_force", in_force=agreement.version)

    person_id = auth.person().id
    try:
        with db.current().engine.begin() as connection:
            connection.execute(
                insert(acknowledgements).values(
                    person_id=person_id, version=version, acknowledged_at=datetime.now(UTC)
                )
            )
        status = 201
    except IntegrityError:  # the database says "once", also to two requests at the same moment
        status = 200
    with db.current().engine.connect() as connection:
        moment = acknowledged_at(connection, person_id, version)
    if moment is None:  # the person was removed in between
        abort(401)
    response = jsonify(version=version, acknowledged_at=moment.isoformat())
    response.status_code = status
    return response
