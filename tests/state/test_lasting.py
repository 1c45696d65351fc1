"""A database that is opened again after it failed, and not before."""

from __future__ import annotations

from pathlib import Path

import pytest

from truegreen.errors import UsageError
from truegreen.state import Database, LastingDatabase, Schema, StateError
from truegreen.state.sqlite import SqliteDatabase

TABLES = "CREATE TABLE IF NOT EXISTS thing (id INTEGER);"
SCHEMA = Schema("thing", 1, TABLES, TABLES)


def test_it_is_opened_once_and_again_after_a_failure(tmp_path: Path) -> None:
    opened = []

    def open_again() -> Database:
        opened.append(1)
        return SqliteDatabase.open(tmp_path / "thing.sqlite3", SCHEMA)

    database = LastingDatabase(open_again)
    assert opened == []
    with database.write() as writer:
        writer.run("INSERT INTO thing VALUES (1)")
    assert list(database.rows("SELECT id FROM thing")) == [(1,)]
    assert database.clock() > 0
    assert len(opened) == 1
    with pytest.raises(StateError):
        list(database.rows("SELECT nothing FROM nowhere"))
    assert list(database.rows("SELECT id FROM thing")) == [(1,)]
    assert len(opened) == 2
    database.close()


def test_what_cannot_be_opened_is_told_each_time(tmp_path: Path) -> None:
    file = tmp_path / "thing.sqlite3"
    file.write_text("no database")
    database = LastingDatabase(lambda: SqliteDatabase.open(file, SCHEMA))
    for _ in range(2):
        with pytest.raises(UsageError):
            database.clock()
