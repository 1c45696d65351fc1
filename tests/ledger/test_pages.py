"""What a page asks of a ledger: the last run of each app, a page of one app's runs, what is new."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from truegreen.ledger import Ledger
from truegreen.ledger.store import _LATEST
from truegreen.ledger.tables import RUNS, SCHEMA
from truegreen.state import Location


@pytest.fixture
def ledger(location: Location) -> Ledger:
    return Ledger.open(location)


def add(ledger: Ledger, app: str, kind: str = "ship", verdict: str | None = "green") -> int:
    return ledger.append(kind, app=app, commit="c" * 40, verdict=verdict, body={"n": 1}).id


def test_the_latest_run_of_each_app_is_found_and_what_is_no_run_is_none(ledger: Ledger) -> None:
    with ledger:
        assert ledger.latest_by_app() == []
        add(ledger, "b")
        last_b = add(ledger, "b", "verify", "red")
        last_a = add(ledger, "a", "rollback")
        add(ledger, "a", "override", None)
        add(ledger, "", "ship", None)  # ended before it knew its app
        add(ledger, "c", "watch", None)
        found = [(one.app, one.id, one.verdict) for one in ledger.latest_by_app()]
    assert found == [("a", last_a, "green"), ("b", last_b, "red")]


def test_a_page_of_runs_goes_on_where_the_one_before_ended(ledger: Ledger) -> None:
    with ledger:
        numbers = []
        for _ in range(5):
            numbers.append(add(ledger, "a"))
            add(ledger, "b")
        first = ledger.runs("a", limit=2)
        rest = ledger.runs("a", before=first[-1].id, limit=9)
        assert [one.id for one in [*first, *rest]] == numbers[::-1]
        assert [one.id for one in ledger.after(8, 9)] == [9, 10]
        assert ledger.head() == 10
        record = ledger.record(3)
        assert record is not None
        assert (record.app, record.body) == ("a", {"n": 1})
        assert ledger.record(99) is None


def test_neither_question_reads_the_table_from_end_to_end(tmp_path: Path) -> None:
    Ledger.open(tmp_path / "ledger.sqlite3").close()
    db = sqlite3.connect(tmp_path / "ledger.sqlite3")
    page = f"SELECT id FROM record WHERE {RUNS} AND app = ? ORDER BY id DESC LIMIT 5"
    try:
        for statement, values in ((_LATEST, ()), (page, ("a",))):
            plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
            assert any("record_run" in step for step in plan), plan
            assert not [step for step in plan if step.startswith("SCAN record")], plan
    finally:
        db.close()


def test_an_older_ledger_gets_the_indices_and_keeps_its_records(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    with Ledger.open(path) as ledger:
        add(ledger, "a")
    db = sqlite3.connect(path)
    db.executescript("DROP INDEX record_run; DROP INDEX record_kind; PRAGMA user_version = 2;")
    db.close()
    with Ledger.open(path) as ledger:
        assert [one.app for one in ledger.latest_by_app()] == ["a"]
        assert ledger.verify().holds
    db = sqlite3.connect(path)
    names = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    assert {"record_run", "record_kind"} <= names
    assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA.version,)
    db.close()
