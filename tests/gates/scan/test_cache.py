"""The blob cache: it remembers, it never lies, and nothing that befalls it stops a scan."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from truegreen.gates.scan.cache import NAME, Cache
from truegreen.gates.scan.found import Gap, Scanned, Sighting

FOUND = Scanned((Sighting("email", 3, 4, "j…@….de", "ab" * 12, "!a"),), (Gap("", "binary"),), 2)
CLEAN = Scanned(texts=1)


def test_what_was_put_is_got_under_the_same_rules_only(tmp_path: Path) -> None:
    file = tmp_path / "deep" / NAME
    Cache(file, "one").put({"a": FOUND, "b": CLEAN})
    assert Cache(file, "one").get(["a", "b", "c"]) == {"a": FOUND, "b": CLEAN}
    assert Cache(file, "two").get(["a", "b"]) == {}
    Cache(file, "two").put({"a": CLEAN})
    assert Cache(file, "one").get(["a"]) == {}  # what other rules came to is forgotten


def test_thousands_are_asked_for_at_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path / NAME, "one")
    many = {str(n): CLEAN for n in range(3000)}
    cache.put(many)
    assert cache.get(list(many)) == many


def test_without_a_file_nothing_is_remembered(tmp_path: Path) -> None:
    cache = Cache(None, "one")
    cache.put({"a": CLEAN})
    assert cache.get(["a"]) == {}


def test_a_broken_file_is_thrown_away_and_made_anew(tmp_path: Path) -> None:
    file = tmp_path / NAME
    for wreck in (b"no database", b"SQLite format 3\0" + b"\xff" * 5000):
        file.write_bytes(wreck)
        cache = Cache(file, "one")
        assert cache.get(["a"]) == {}
        cache.put({"a": FOUND})
        cache.put({"a": FOUND})
        assert cache.get(["a"]) == {"a": FOUND}


def test_a_row_that_is_no_result_is_not_believed(tmp_path: Path) -> None:
    file = tmp_path / NAME
    Cache(file, "one").put({"a": FOUND})
    with sqlite3.connect(file) as database:
        database.execute("UPDATE blob SET result = '[[1], 2]'")
    database.close()
    assert Cache(file, "one").get(["a"]) == {}


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / NAME, "one")
    cache.put({"a": CLEAN})
    assert cache.get(["a"]) == {}


WRITER = """
import sys
from pathlib import Path
from truegreen.gates.scan.cache import Cache
from truegreen.gates.scan.found import Scanned
for n in range(20):
    Cache(Path(sys.argv[1]), "one").put({f"{sys.argv[2]}{n}": Scanned(texts=1)})
"""


def test_two_scans_at_once_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / NAME
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(file), name]) for name in "xy"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert len(Cache(file, "one").get([f"{name}{n}" for name in "xy" for n in range(20)])) == 40


KILLED = """
import sys
from pathlib import Path
from truegreen.gates.scan.cache import Cache
from truegreen.gates.scan.found import Scanned

def results():
    for n in range(10**9):
        if n == 5000:
            print("writing", flush=True)
        yield str(n), Scanned(texts=1)

class Endless(dict):
    def items(self):
        return results()

Cache(Path(sys.argv[1]), "one").put(Endless(a=Scanned()))
"""


def test_a_writer_that_is_killed_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / NAME
    Cache(file, "one").put({"a": FOUND})
    writer = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(file)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "writing\n"
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    cache = Cache(file, "one")
    assert cache.get(["a", "0", "4999"]) == {"a": FOUND}
    cache.put({"b": CLEAN})
    assert cache.get(["b"]) == {"b": CLEAN}
