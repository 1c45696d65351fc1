"""Who is asking: bearer tokens. Tokens are made in `people`, kept only as digests."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

from flask import abort, g, request
from sqlalchemy import Connection, select
from werkzeug.datastructures import WWWAuthenticate

from raptor import db
from raptor.models import people, tokens

# 32 random bytes, so a plain digest is enough: there is nothing to guess, and nothing to stretch.
_TOKEN = re.compile(r"rpt_[A-Za-z0-9_-]{43}\Z")


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in."""

    id: int
    email: str


def new_token() -> str:
    """A fresh token; show it once, keep `digest` of it."""
    return f"rpt_{secrets.token_urlsafe(32)}"


def digest(token: str) -> str:
    """What the database holds of a token: 64 hex digits."""
    return hashlib.sha256(token.encode()).hexdigest()


def find(connection: Connection, token: str) -> Person | None:
    """Whose token this is; None when it is nobody's, or was revoked."""
    row = connection.execute(
        select(people.c.id, people.c.email)
        .join_from(tokens, people)
        .where(tokens.c.digest == digest(token), tokens.c.revoked_at.is_(None))
    ).one_or_none()
    return Person(id=row.id, email=row.email) if row else None


def require_person() -> None:
    """For `before_request`: 401 unless the request carries a token that is good.

    What cannot be a token is refused without a query.
    """
    header = request.authorization
    token = header.token if header and header.type == "bearer" else None
    person = None
    if token and _TOKEN.match(token):
        with db.current().engine.connect() as connection:
            person = find(connection, token)
    if person is None:
        abort(401, www_authenticate=WWWAuthenticate("bearer", {"realm": "raptor"}))
    g.person = person


def person() -> Person:
    """The person who is asking. Only behind `require_person`."""
    found: Person = g.person
    return found
