"""The ledger: append-only, chained, and honest about what was done to it."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from truegreen.errors import UsageError
from truegreen.ledger import GENESIS, Ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "ledger.sqlite3"


def fill(path: Path, count: int) -> None:
    with Ledger.open(path) as ledger:
        for number in range(count):
            verdict = "red" if number % 2 else "green"
            ledger.append("ship", app="a", commit=None, verdict=verdict, body={"n": number})


def tamper(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path)
    db.executescript("DROP TRIGGER record_no_update; DROP TRIGGER record_no_delete;")
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


def test_records_come_back_as_they_went_in_and_are_chained(path: Path) -> None:
    fill(path, 3)
    with Ledger.open(path) as ledger:
        first, second, third = ledger.records()
        assert [record.body["n"] for record in (first, second, third)] == [0, 1, 2]
        assert first.previous == GENESIS
        assert (second.previous, third.previous) == (first.hash, second.hash)
        assert ledger.check() == ()
        last_red = ledger.last(verdict="red")
        assert last_red is not None
        assert last_red.body == {"n": 1}
        assert ledger.last(kind="gate") is None


@pytest.mark.parametrize("statement", ["UPDATE record SET verdict = 'green'", "DELETE FROM record"])
def test_records_cannot_be_changed_or_removed_through_the_file(path: Path, statement: str) -> None:
    fill(path, 2)
    db = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(statement)
    db.close()


def test_a_changed_record_is_found(path: Path) -> None:
    fill(path, 3)
    tamper(path, "UPDATE record SET verdict = 'green' WHERE id = 2")
    with Ledger.open(path) as ledger:
        assert [(b.id, b.problem) for b in ledger.check()] == [
            (2, "was changed after it was written")
        ]


def test_a_removed_record_is_found(path: Path) -> None:
    fill(path, 3)
    tamper(path, "DELETE FROM record WHERE id = 2")
    with Ledger.open(path) as ledger:
        assert [b.id for b in ledger.check()] == [3, 3]


def test_two_writers_at_once_lose_nothing_and_keep_the_chain(path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(fill, path, 10) for _ in range(4)]:
            future.result()
    with Ledger.open(path) as ledger:
        assert len(list(ledger.records())) == 40
        assert ledger.check() == ()


def test_a_file_that_is_no_ledger_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database, " * 100)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="not a ledger"):
        Ledger.open(path)
    assert path.read_bytes() == before


def test_a_ledger_of_a_newer_version_is_refused(path: Path) -> None:
    fill(path, 1)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.commit()
    db.close()
    with pytest.raises(UsageError, match="newer"):
        Ledger.open(path)
