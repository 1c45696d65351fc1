"""The way to the database: URL, engine, the schema's revision. No tables, no routes' queries."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from raptor.settings import ROOT, Settings, SettingsError

# /health must answer even when the database does not, and before the platform's router gives up.
_CONNECT_TIMEOUT = 5  # seconds
_STATEMENT_TIMEOUT = 15_000  # milliseconds; of requests, not of migrations


@dataclass(frozen=True)
class Database:
    """What the routes need of an app: its engine, and what it was configured with."""

    engine: Engine
    settings: Settings


def normalise(url: str) -> str:
    """The SQLAlchemy URL for what platforms put into DATABASE_URL.

    Heroku hands out ``postgres://…``, a scheme that SQLAlchemy 1.4 dropped; ``postgresql://…``
    would mean psycopg 2. Both become psycopg 3. A bare path becomes SQLite; other URLs stay.
    Raises SettingsError, without the URL: it holds the password.
    """
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            url = "postgresql+psycopg://" + url.removeprefix(scheme)
    if "://" not in url:
        url = f"sqlite:///{url}"
    try:
        make_url(url)
    except (ArgumentError, ValueError):  # `from None`: the cause's text would show the password
        raise SettingsError(
            "DATABASE_URL cannot be read as a database's URL "
            "(write postgres://USER:PASSWORD@HOST:PORT/NAME or sqlite:///PATH)"
        ) from None
    return url


def make_engine(url: str, **connect_args: Any) -> Engine:
    """An engine that connects when it is first used. ``url`` as `normalise` takes it."""
    url = normalise(url)
    if url.startswith("postgresql"):
        connect_args.setdefault("connect_timeout", _CONNECT_TIMEOUT)
    # A database that was restarted leaves dead connections in the pool: ask before using one.
    engine = create_engine(url, pool_pre_ping=True, connect_args=connect_args)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _enforce_foreign_keys)
    return engine


def connect(settings: Settings) -> Database:
    """The database of ``settings``. Nothing is connected yet."""
    url = normalise(settings.database)
    bounds = (
        {"options": f"-c statement_timeout={_STATEMENT_TIMEOUT}"}
        if url.startswith("postgresql")
        else {}
    )
    return Database(engine=make_engine(url, **bounds), settings=settings)


def current() -> Database:
    """The database of the app that is answering this request."""
    database: Database = current_app.extensions["raptor"]
    return database


def schema_revision(connection: Connection) -> str | None:
    """The revision that the database is at; None when no migration ever ran. One query."""
    try:
        rows = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    except DBAPIError:
        # No such table, or no such database? Only the first is an answer.
        connection.rollback()
        if inspect(connection).has_table("alembic_version"):
            raise
        return None
    return ",".join(sorted(rows)) or None


@cache
def schema_heads(root: Path = ROOT) -> tuple[str, ...]:
    """The newest revisions that this code brings along. Reads the migrations once a process."""
    scripts = ScriptDirectory.from_config(AlembicConfig(str(root / "alembic.ini")))
    return tuple(sorted(scripts.get_heads()))


def _enforce_foreign_keys(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
