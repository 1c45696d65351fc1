"""The ledger: append-only, chained, and honest about what was done to it, in both databases."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from truegreen.errors import UsageError
from truegreen.ledger import GENESIS, Ledger
from truegreen.ledger.chain import Anchor, walk
from truegreen.ledger.exports import lines, read_line, verify_export
from truegreen.ledger.record import Stored, chain_hash
from truegreen.ledger.tables import SCHEMA
from truegreen.state import Location, StateError, locate, open_database


def fill(where: Location | Path, count: int) -> None:
    with Ledger.open(where) as ledger:
        for number in range(count):
            verdict = "red" if number % 2 else "green"
            ledger.append("ship", app="a", commit=None, verdict=verdict, body={"n": number})


def tamper(where: Location, *statements: str) -> None:
    """As somebody who owns the database can."""
    database = open_database(where, SCHEMA)
    with database.write() as writer:
        if where.shared:
            writer.run("DROP TRIGGER record_append_only ON record")
        else:
            writer.run("DROP TRIGGER record_no_update")
            writer.run("DROP TRIGGER record_no_delete")
        for statement in statements:
            writer.run(statement)
    database.close()


def problems(where: Location, *expect: str) -> list[tuple[int, str]]:
    with Ledger.open(where) as ledger:
        return [(one.id, one.problem) for one in ledger.verify(expect).breaks]


def test_records_come_back_as_they_went_in_and_are_chained(location: Location) -> None:
    assert Ledger.begun(location) == location.shared
    fill(location, 3)
    with Ledger.open(location) as ledger:
        first, second, third = ledger.records()
        assert [record.body["n"] for record in (first, second, third)] == [0, 1, 2]
        assert first.previous == GENESIS
        assert (second.previous, third.previous) == (first.hash, second.hash)
        assert (ledger.verify().head, ledger.verify().records) == (third.hash, 3)
        assert ledger.verify().holds
        last_red = ledger.last(verdict="red")
        assert last_red is not None
        assert last_red.body == {"n": 1}
        assert ledger.last(kind="gate") is None
        assert [r.id for r in ledger.records(newest_first=True, limit=2)] == [3, 2]


def test_both_databases_give_the_same_chain(location: Location) -> None:
    at = datetime(2026, 6, 21, tzinfo=UTC)
    with Ledger.open(location) as ledger:
        for text in ("ü\u2028 \U0001f600", "", '"', "\\"):
            ledger.append("ship", app="a", commit="c", verdict=None, body={"t": text}, at=at)
        assert ledger.verify().head[:12] == "b2e1032b50d2"
        bodies = [record.body["t"] for record in ledger.records()]
    assert bodies == ["ü\u2028 \U0001f600", "", '"', "\\"]


@pytest.mark.parametrize("statement", ["UPDATE record SET verdict = 'green'", "DELETE FROM record"])
def test_records_cannot_be_changed_or_removed_through_the_database(
    location: Location, statement: str
) -> None:
    fill(location, 2)
    database = open_database(location, SCHEMA)
    with pytest.raises((sqlite3.IntegrityError, StateError), match="append-only"):
        _run(database, statement)
    database.close()
    assert problems(location) == []


def _run(database: object, statement: str) -> None:
    with database.write() as writer:  # type: ignore[attr-defined]
        writer.run(statement)


def test_a_changed_record_is_named(location: Location) -> None:
    fill(location, 3)
    tamper(location, "UPDATE record SET verdict = 'green' WHERE id = 2")
    assert problems(location) == [(2, "was changed after it was written")]


def test_a_changed_record_with_a_fresh_hash_breaks_the_next(location: Location) -> None:
    fill(location, 3)
    with Ledger.open(location) as ledger:
        second = list(ledger.records())[1]
    forged = chain_hash(
        second.previous, second.as_json()["at"], "ship", "a", None, "green", '{"n":1}'
    )
    tamper(location, f"UPDATE record SET verdict = 'green', hash = '{forged}' WHERE id = 2")
    assert problems(location) == [(3, "does not follow the record before it")]


def test_a_removed_record_is_named(location: Location) -> None:
    fill(location, 5)
    tamper(location, "DELETE FROM record WHERE id IN (2, 3)")
    assert problems(location) == [
        (4, "records 2 to 3 are missing"),
        (4, "does not follow the record before it"),
    ]


def test_an_end_that_was_cut_off_is_named(location: Location) -> None:
    fill(location, 5)
    tamper(location, "DELETE FROM record WHERE id > 3")
    assert problems(location) == [
        (5, "the end is cut off: record 3 is the last, 2 more had been written")
    ]


def test_an_end_that_was_cut_off_with_its_note_is_found_by_a_hash_that_was_kept(
    location: Location,
) -> None:
    fill(location, 5)
    with Ledger.open(location) as ledger:
        kept = ledger.verify().head
        third = list(ledger.records())[2].hash
    assert problems(location, kept, third) == []
    tamper(
        location,
        "DELETE FROM record WHERE id > 3",
        f"UPDATE head SET id = 3, hash = '{third}'",
    )
    assert problems(location) == []  # by itself it looks whole
    assert [problem[1][:33] for problem in problems(location, kept, third)] == [
        "no record has the expected hash " + kept[:1]
    ]


def test_a_fork_is_named_with_the_record_it_leaves(location: Location) -> None:
    fill(location, 4)
    with Ledger.open(location) as ledger:
        second = list(ledger.records())[1]
    body, at = '{"n":9}', "2026-06-21T00:00:00.000Z"
    forged = chain_hash(second.hash, at, "ship", "a", None, "green", body)
    tamper(
        location,
        "INSERT INTO record (id, at, kind, app, verdict, body, previous, hash) VALUES"
        f" (5, '{at}', 'ship', 'a', 'green', '{body}', '{second.hash}', '{forged}')",
        f"UPDATE head SET id = 5, hash = '{forged}'",
    )
    assert problems(location) == [
        (5, "does not follow the record before it: follows record 2 (fork)")
    ]


def test_two_writers_at_once_lose_nothing_and_keep_the_chain(location: Location) -> None:
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(fill, location, 10) for _ in range(4)]:
            future.result()
    with Ledger.open(location) as ledger:
        found = ledger.verify()
    assert (found.records, found.holds) == (40, True)


_APPEND = """
import sys
from pathlib import Path
from truegreen.ledger import Ledger
with Ledger.open(Path(sys.argv[1])) as ledger:
    while True:
        record = ledger.append("ship", app="a", commit=None, verdict="red", body={"x": "y" * 999})
        print(record.id, flush=True)
"""


def test_a_kill_in_the_middle_of_an_append_keeps_all_that_was_said_to_be_written(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ledger.sqlite3"
    said = 0
    for kills in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", _APPEND, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(20 + 7 * kills):
            said = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.communicate()[0].splitlines()
        said = max([said, *(int(line) for line in rest if line.isdigit())])
    with Ledger.open(path) as ledger:
        found = ledger.verify()
    assert found.holds
    assert found.records in (said, said + 1)


def test_a_file_that_is_no_ledger_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(b"not a database, " * 100)
    with pytest.raises(UsageError, match="not a ledger"):
        Ledger.open(path)
    assert path.read_bytes() == b"not a database, " * 100


def test_a_ledger_of_the_first_format_is_brought_forward(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    fill(path, 3)
    db = sqlite3.connect(path)
    db.executescript("DROP TABLE head; PRAGMA user_version = 1;")
    db.close()
    with Ledger.open(path) as ledger:
        assert ledger.verify().holds
        assert ledger.append("ship", app="a", commit=None, verdict=None, body={}).id == 4
        assert ledger.verify().records == 4


# exports


def test_an_export_is_walked_without_a_database(location: Location, tmp_path: Path) -> None:
    fill(location, 4)
    with Ledger.open(location) as ledger:
        head = ledger.verify().head
        text = list(lines(ledger.records()))
    path = tmp_path / "ledger.jsonl"
    path.write_text("".join(f"{line}\n" for line in text), encoding="utf-8")
    found = verify_export(path, [head])
    assert (found.records, found.holds, found.head) == (4, True, head)
    path.write_text("\n".join([text[0], text[1].replace('"n":1', '"n":7'), *text[2:]]))
    assert [one.id for one in verify_export(path).breaks] == [2]
    path.write_text("\n".join(text[:2]))
    assert verify_export(path).holds  # nothing in it says that there was more
    assert not verify_export(path, [head]).holds
    path.write_text("\n".join([*text[:3], text[1]]))
    assert [(one.id, one.problem) for one in verify_export(path).breaks] == [
        (2, "stands after record 3: a number that was there before"),
        (2, "does not follow the record before it: follows record 1 (fork)"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        *("", "{", "[]", '{"id": 1}', "[" * 100_000),
        '{"id":"1","at":"","kind":"","app":"","commit":null,'
        '"verdict":null,"body":{},"previous":"","hash":""}',
    ],
)
def test_a_line_that_is_no_record_is_named(line: str) -> None:
    with pytest.raises(UsageError, match="line 7"):
        read_line(line, "line 7")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        verify_export(path)


# the walk itself


def chain(count: int) -> list[Stored]:
    rows: list[Stored] = []
    previous = GENESIS
    for number in range(1, count + 1):
        row = Stored(number, "t", "ship", "a", None, None, "{}", previous, "")
        row = row._replace(hash=row.digest())
        rows.append(row)
        previous = row.hash
    return rows


def test_every_single_change_of_a_field_is_found() -> None:
    rows = chain(3)
    changes = {
        "id": 9, "at": "u", "kind": "verify", "app": "b", "commit": "c", "verdict": "green",
        "body": "[]", "previous": "f" * 64, "hash": "f" * 64,
    }  # fmt: skip
    for name, value in changes.items():
        for index in range(3):
            changed = list(rows)
            changed[index] = rows[index]._replace(**{name: value})  # type: ignore[arg-type]
            head = Anchor(3, rows[-1].hash)
            assert not walk(changed, head=head).holds, (name, index)


def test_a_chain_that_is_all_wrong_is_told_in_bounds() -> None:
    rows = [row._replace(hash="0" * 63 + "1") for row in chain(500)]
    assert len(walk(rows).breaks) == 100


def test_the_location_of_a_ledger_that_nobody_began_is_not_made(tmp_path: Path) -> None:
    assert not Ledger.begun(locate(tmp_path, {}))
    assert list(tmp_path.iterdir()) == []
