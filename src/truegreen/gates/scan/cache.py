"""What blobs came to, remembered by blob and rule set in ``.truegreen/scan-cache.sqlite3``.

It holds fingerprints, never values. It is a cache: when it cannot be read, is locked or broken, the
scan goes on without it, and a broken one is made anew. Whoever can write into ``.truegreen`` can
hide a finding there; that folder is as trusted as the checkout beside it.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

from truegreen.gates.scan.found import Gap, Scanned, Sighting

NAME = "scan-cache.sqlite3"
_WAIT = 5.0  # seconds for another scan that is writing
_AT_ONCE = 500  # ids in one question
_SCHEMA = """
CREATE TABLE IF NOT EXISTS blob (
  rules TEXT NOT NULL, oid TEXT NOT NULL, result TEXT NOT NULL, PRIMARY KEY (rules, oid)
) WITHOUT ROWID
"""


class Cache:
    """Results under one ``digest`` (of rules and fingerprint key). ``file`` None: remembers
    nothing."""

    def __init__(self, file: Path | None, digest: str) -> None:
        self._file = file
        self._digest = digest

    def get(self, oids: Sequence[str]) -> dict[str, Scanned]:
        """What is known of ``oids``."""
        if self._file is None or not self._file.exists():
            return {}
        known: dict[str, Scanned] = {}
        try:
            with contextlib.closing(self._connect()) as database:
                for some in _slices(oids):
                    marks = ",".join("?" * len(some))
                    rows = database.execute(
                        f"SELECT oid, result FROM blob WHERE rules = ? AND oid IN ({marks})",  # noqa: S608
                        (self._digest, *some),
                    )
                    for oid, result in rows:
                        known[oid] = _read(result)
        except sqlite3.OperationalError:
            return known  # locked, unreadable, another's schema: ask again next time
        except (sqlite3.DatabaseError, ValueError, TypeError):
            self._discard()
            return {}
        return known

    def put(self, results: Mapping[str, Scanned]) -> None:
        """Remembers ``results``, in one transaction, and forgets what other rules came to."""
        if self._file is None or not results:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(self._connect()) as database, database:
                database.execute(_SCHEMA)
                database.execute("DELETE FROM blob WHERE rules <> ?", (self._digest,))
                database.executemany(
                    "INSERT OR REPLACE INTO blob VALUES (?, ?, ?)",
                    ((self._digest, oid, _written(one)) for oid, one in results.items()),
                )
        except sqlite3.OperationalError:
            return
        except sqlite3.DatabaseError:
            self._discard()
        except OSError:
            return

    def _connect(self) -> sqlite3.Connection:
        assert self._file is not None
        return sqlite3.connect(self._file, timeout=_WAIT)

    def _discard(self) -> None:
        assert self._file is not None
        with contextlib.suppress(OSError):
            self._file.unlink()


def _slices(oids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(oids), _AT_ONCE):
        yield oids[start : start + _AT_ONCE]


def _written(one: Scanned) -> str:
    if not one.sightings and not one.gaps and one.texts == 1:
        return ""  # most of them
    return json.dumps([_tuples(one.sightings), _tuples(one.gaps), one.texts])


def _tuples(values: Iterable[Sighting | Gap]) -> list[tuple[object, ...]]:
    return [astuple(value) for value in values]


_CLEAN = Scanned(texts=1)


def _read(text: str) -> Scanned:
    if not text:
        return _CLEAN
    sightings, gaps, texts = json.loads(text)
    return Scanned(
        tuple(Sighting(*one) for one in sightings), tuple(Gap(*one) for one in gaps), int(texts)
    )
