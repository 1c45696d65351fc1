"""People and their tokens, from the operator's side: `flask --app raptor person …`."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from raptor import auth, db
from raptor.models import people, tokens

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")

commands = AppGroup("person", help="People who may sign in.")


class AlreadyThere(Exception):
    """Somebody has this address already."""


def add(connection: Connection, email: str) -> str:
    """Adds a person and returns their first token, which exists nowhere else.

    Addresses are kept in lower case. Raises ValueError for what is no address, AlreadyThere.
    """
    email = email.strip().lower()
    if len(email) > 254 or not _EMAIL.match(email):
        raise ValueError(f"{email!r} is not an e-mail address")
    now = datetime.now(UTC)
    try:
        result = connection.execute(insert(people).values(email=email, created_at=now))
    except IntegrityError as error:
        raise AlreadyThere(f"{email} is there already") from error
    key = result.inserted_primary_key
    assert key is not None
    return _give_token(connection, key[0], now)


def replace_token(connection: Connection, email: str) -> str:
    """Revokes every token of a person and returns a new one. Raises LookupError."""
    person_id = connection.execute(
        select(people.c.id).where(people.c.email == email.strip().lower())
    ).scalar_one_or_none()
    if person_id is None:
        raise LookupError(f"nobody has the address {email}")
    now = datetime.now(UTC)
    connection.execute(
        update(tokens)
        .where(tokens.c.person_id == person_id, tokens.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return _give_token(connection, person_id, now)


def _give_token(connection: Connection, person_id: int, now: datetime) -> str:
    token = auth.new_token()
    connection.execute(
        insert(tokens).values(person_id=person_id, digest=auth.digest(token), created_at=now)
    )
    return token


@commands.command("add")
@click.argument("email")
@with_appcontext
def add_command(email: str) -> None:
    """Add a person and print their token. It is shown this once."""
    try:
        with db.current().engine.begin() as connection:
            token = add(connection, email)
    except (ValueError, AlreadyThere) as error:
        raise click.ClickException(str(error)) from error
    click.echo(token)


@commands.command("new-token")
@click.argument("email")
@with_appcontext
def new_token_command(email: str) -> None:
    """Revoke a person's tokens and print a new one."""
    try:
        with db.current().engine.begin() as connection:
            token = replace_token(connection, email)
    except LookupError as error:
        raise click.ClickException(str(error)) from error
    click.echo(token)
