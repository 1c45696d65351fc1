"""Runs the migrations on DATABASE_URL, or on the URL or connection that the caller hands in."""

from __future__ import annotations

import os

from alembic import context
from raptor.db import make_engine, normalise
from raptor.models import metadata
from raptor.settings import SettingsError
from sqlalchemy import Connection

# Milliseconds that a migration by hand waits for a lock. Behind a waiting ALTER TABLE every query
# of that table queues up. The release command waits for less at a time, and tries again.
_LOCK_TIMEOUT = 10_000


def _url() -> str:
    url = context.config.get_main_option("sqlalchemy.url") or os.environ.get("DATABASE_URL")
    if not url:
        raise SettingsError("DATABASE_URL is not set: say which database to migrate")
    return url


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


def _online() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        _run(given)
        return
    url = normalise(_url())
    options = (
        {"options": f"-c lock_timeout={_LOCK_TIMEOUT}"} if url.startswith("postgresql") else {}
    )
    engine = make_engine(url, **options)
    try:
        with engine.connect() as connection:
            _run(connection)
    finally:
        engine.dispose()


if context.is_offline_mode():
    context.configure(url=normalise(_url()), target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    _online()
