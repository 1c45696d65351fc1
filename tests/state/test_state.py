"""Databases: both kinds behave alike, writers wait for one another, and no file is spoiled."""

from __future__ import annotations

import itertools
import sqlite3
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from truegreen.errors import UsageError
from truegreen.state import (
    DATABASE_URL,
    Database,
    Location,
    Schema,
    StateError,
    locate,
    open_database,
)
from truegreen.state import sqlite as sqlite_file

INTERRUPTED = {"_prepare", "_transaction", "write"}
_TABLE = "CREATE TABLE number (value INTEGER NOT NULL);"
SCHEMA = Schema("numbers", 1, _TABLE, _TABLE)


def add(location: Location, times: int) -> None:
    with closing(open_database(location, SCHEMA)) as database:
        for _ in range(times):
            with database.write() as writer:
                highest = writer.rows("SELECT coalesce(max(value), 0) FROM number")[0][0]
                assert writer.run("INSERT INTO number VALUES (?)", (highest + 1,)) == 1


def test_writers_that_open_it_at_once_take_turns(location: Location) -> None:
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(add, location, 10) for _ in range(4)]:
            future.result()
    database = open_database(location, SCHEMA)
    values = [row[0] for row in database.rows("SELECT value FROM number ORDER BY value")]
    database.close()
    assert values == list(range(1, 41))


def add_and_fail(database: Database) -> None:
    with database.write() as writer:
        assert writer.run("INSERT INTO number VALUES (?)", (1,)) == 1
        writer.run("INSERT INTO no_such_table VALUES (?)", (1,))


def test_a_transaction_that_fails_leaves_nothing(location: Location) -> None:
    database = open_database(location, SCHEMA)
    with pytest.raises(StateError):
        add_and_fail(database)
    assert list(database.rows("SELECT * FROM number")) == []
    with pytest.raises(StateError):
        list(database.rows("SELECT * FROM no_such_table"))
    database.close()


def test_the_clock_is_the_databases_and_says_now(location: Location) -> None:
    database = open_database(location, SCHEMA)
    assert abs(database.clock() - time.time()) < 5
    database.close()


def test_tables_of_a_newer_version_are_refused(location: Location) -> None:
    open_database(location, SCHEMA._replace(version=7)).close()
    with pytest.raises(UsageError, match="newer TrueGreen"):
        open_database(location, SCHEMA)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    location = locate(tmp_path, {})
    location.folder.mkdir()
    path = location.file("numbers")
    path.write_bytes(b"something else, " * 100)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="not a numbers file"):
        open_database(location, SCHEMA)
    assert path.read_bytes() == before


def test_a_folder_in_the_files_place_is_refused(tmp_path: Path) -> None:
    location = locate(tmp_path, {})
    location.file("numbers").mkdir(parents=True)
    with pytest.raises(UsageError, match="is not a file"):
        open_database(location, SCHEMA)


def test_an_interrupted_making_of_the_tables_leaves_none(tmp_path: Path) -> None:
    location = locate(tmp_path, {})
    broken = SCHEMA._replace(sqlite=_TABLE + "CREATE TABLE number (again INTEGER);")
    with pytest.raises(UsageError):
        open_database(location, broken)
    db = sqlite3.connect(location.file("numbers"))
    assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    db.close()


def interrupting(after: int) -> Callable[[FrameType, str, Any], Any]:
    """A trace function: Ctrl-C at the ``after``-th instruction of the transactions' own code."""
    left = iter(range(after))

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        code = frame.f_code
        if code.co_filename != sqlite_file.__file__ or code.co_name not in INTERRUPTED:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and next(left, None) is None:
            sys.settrace(None)
            raise KeyboardInterrupt
        return trace

    return trace


def test_ctrl_c_at_any_instruction_of_a_transaction_is_told_as_that(tmp_path: Path) -> None:
    interrupted = 0
    for after in itertools.count():
        location = locate(tmp_path / str(after), {})
        location.folder.parent.mkdir()
        sys.settrace(interrupting(after))
        try:
            add(location, 1)
        except KeyboardInterrupt:
            interrupted += 1
        else:
            break
        finally:
            sys.settrace(None)
        database = open_database(location, SCHEMA)
        assert list(database.rows("SELECT value FROM number")) in ([], [(1,)])
        database.close()
        add(location, 1)
    assert interrupted > 100


@pytest.mark.parametrize(
    "value", ["mysql://u:secret1@h/d", "postgres", "http://[secret1", "secret1"]
)
def test_an_url_that_is_none_is_refused_without_being_shown(tmp_path: Path, value: str) -> None:
    with pytest.raises(UsageError, match=DATABASE_URL) as refused:
        locate(tmp_path, {DATABASE_URL: value})
    assert "secret1" not in str(refused.value)


@pytest.mark.parametrize(
    "value",
    ["postgresql://u:hunter2@127.0.0.1:1/d", "postgresql://u:hunter2@127.0.0.1:port/d"],
)
def test_a_database_that_cannot_be_had_is_said_without_its_password(
    tmp_path: Path, value: str
) -> None:
    location = locate(tmp_path, {DATABASE_URL: value})
    with pytest.raises((StateError, UsageError)) as failed:
        open_database(location, SCHEMA)
    assert "hunter2" not in str(failed.value) + repr(failed.value) + repr(location) + str(location)


def test_the_folder_is_never_committed(tmp_path: Path) -> None:
    location = locate(tmp_path, {})
    open_database(location, SCHEMA).close()
    assert (location.folder / ".gitignore").read_text() == "*\n"


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / ".truegreen").write_text("a file")
    with pytest.raises(UsageError, match="cannot be made"):
        open_database(locate(tmp_path, {}), SCHEMA)
