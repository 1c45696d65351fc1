"""Opens the database of one room, wherever the state lives."""

from __future__ import annotations

from truegreen.errors import UsageError
from truegreen.state.database import Database, Schema
from truegreen.state.location import Location


def open_database(location: Location, schema: Schema) -> Database:
    """The database with ``schema``'s tables in it, made when they are not there.

    Raises UsageError (not ours, or of a newer version) and StateError (no answer).
    """
    if location.url is not None:
        from truegreen.state.postgres import PostgresDatabase

        return PostgresDatabase.open(location.url, schema)
    from truegreen.state.sqlite import SqliteDatabase

    try:
        location.make_folder()
    except OSError as error:
        raise UsageError(f"{location.folder} cannot be made: {error}") from error
    return SqliteDatabase.open(location.file(schema.name), schema)
