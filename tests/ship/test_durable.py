"""The durable engine: finished steps are remembered by the next run of the same work, and by no
other; what ended is not gone on with."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from truegreen.errors import Interrupted, PlatformUnreachable, Refused, UsageError
from truegreen.ship.memory import PIPELINE_VERSION, Memory, RunKey
from truegreen.state import DATABASE_URL, Location, StateError, locate

KEY = RunKey("http://api", "app", "c" * 40, "")
Work = Callable[[Memory], Any]


@pytest.fixture
def engine(location: Location) -> Iterator[Any]:
    from truegreen.ship.durable import DurableEngine

    with DurableEngine.start(location) as started:
        yield started


def steps(done: list[str], *, ends: BaseException | None = None) -> Work:
    """Three steps, told to ``done`` when they are really done; ``ends`` comes after the second."""

    def work(memory: Memory) -> tuple[Any, ...]:
        told = []
        for number, name in enumerate(("one", "two", "three")):
            if ends is not None and number == 2:
                raise ends

            def really(name: str = name, number: int = number) -> dict[str, Any]:
                done.append(name)
                return {"number": number}

            told.append(memory.step(name, really)["number"])
        return tuple(told), memory.recalled

    return work


@pytest.mark.parametrize(
    "ends", [KeyboardInterrupt(), PlatformUnreachable("away"), Interrupted("x"), OSError("disk")]
)
def test_what_was_not_ended_is_gone_on_with(engine: Any, ends: BaseException) -> None:
    done: list[str] = []
    with pytest.raises(type(ends)):
        engine.run(KEY, steps(done, ends=ends))
    numbers, recalled = engine.run(KEY, steps(done))
    assert done == ["one", "two", "three"]
    assert numbers == (0, 1, 2)
    assert recalled == ("one", "two")
    engine.run(KEY, steps(done))  # that one ended: this one is anew
    assert done == ["one", "two", "three"] * 2


@pytest.mark.parametrize("ends", [Refused("frozen"), UsageError("no slug")])
def test_a_refusal_ends_a_run(engine: Any, ends: Exception) -> None:
    done: list[str] = []
    with pytest.raises(type(ends), match=str(ends)):
        engine.run(KEY, steps(done, ends=ends))
    engine.run(KEY, steps(done))
    assert done == ["one", "two", "one", "two", "three"]


def test_three_kills_in_a_row_lose_nothing(engine: Any) -> None:
    done: list[str] = []
    for stop in (1, 2, 3):

        def work(memory: Memory, stop: int = stop) -> None:
            for name in ("one", "two", "three")[:stop]:
                memory.step(name, lambda name=name: done.append(name) or {})  # type: ignore[misc]
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            engine.run(KEY, work)
    assert done == ["one", "two", "three"]


@pytest.mark.parametrize("change", ["api", "app", "commit", "prefix"])
def test_other_work_remembers_nothing_of_it(engine: Any, change: str) -> None:
    from dataclasses import replace

    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        engine.run(KEY, steps(done, ends=KeyboardInterrupt()))
    other: Any = {change: "other"}
    _, recalled = engine.run(replace(KEY, **other), steps(done))
    assert recalled == ()


def test_a_step_that_raises_is_not_finished_and_may_be_caught(engine: Any) -> None:
    done: list[str] = []

    def fails() -> dict[str, Any]:
        done.append("failed")
        raise PlatformUnreachable("away")

    def work(memory: Memory) -> str:
        with pytest.raises(PlatformUnreachable):
            memory.step("one", fails)
        memory.step("two", lambda: {})
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            engine.run(KEY, work)
    assert done == ["failed", "failed"]


def test_nothing_in_its_tables_is_a_pickle(engine: Any, location: Location) -> None:
    engine.run(KEY, steps([]))
    if location.shared:
        return
    db = sqlite3.connect(location.file("engine"))
    rows = db.execute("SELECT output, function_name FROM operation_outputs").fetchall()
    versions = db.execute(
        "SELECT DISTINCT application_version, executor_id FROM workflow_status"
    ).fetchall()
    db.close()
    assert len(rows) == 3
    assert all(json.loads(output) is not None for output, _ in rows)
    assert versions[0][0] == PIPELINE_VERSION
    assert versions[0][1] not in ("local", "")


def test_a_file_that_is_no_engine_is_refused_and_left_alone(tmp_path: Path) -> None:
    from truegreen.ship.durable import DurableEngine

    location = locate(tmp_path, {})
    location.folder.mkdir()
    path = location.file("engine")
    path.write_bytes(b"something else, " * 100)
    with pytest.raises(UsageError, match="found again on the platform"):
        DurableEngine.start(location)
    assert path.read_bytes() == b"something else, " * 100


def test_a_database_that_is_away_is_said_without_its_password(tmp_path: Path) -> None:
    from truegreen.ship.durable import DurableEngine

    location = locate(tmp_path, {DATABASE_URL: "postgresql://u:hunter2@127.0.0.1:1/d"})
    with pytest.raises(StateError) as failed:
        DurableEngine.start(location)
    assert "hunter2" not in str(failed.value) + repr(failed.value.__cause__)


@pytest.mark.parametrize("verb", [["--help"], ["verify", "--help"], ["release", "--help"]])
def test_nothing_but_ship_imports_the_engine(verb: list[str]) -> None:
    code = (
        "import sys, truegreen.cli as c, truegreen.ship.verification, truegreen.ship.pipeline\n"
        f"try: c.root.main({verb!r}, standalone_mode=False)\n"
        "finally: print([m for m in ('dbos', 'sqlalchemy', 'psycopg') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
