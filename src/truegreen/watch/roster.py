"""Who watches under a token now, which apps are whose, and how far each app was seen.

Watches over all apps of one token divide them: each app belongs to the live watch whose name hashes
highest with the app's, so that one that comes or goes moves only its own share. No watch asks
another; each writes that it lives, and reads who does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from truegreen.state import Database

BEAT = 5.0  # seconds between two signs of life
LIVES = 20.0  # seconds after the last of them in which a watch counts as there


@dataclass(frozen=True, slots=True)
class Watcher:
    """One that lives. ``told``: what it says of its load. ``age``: seconds since it said so."""

    id: str
    key: str
    every_app: bool
    age: float
    told: Mapping[str, Any]


class Roster:
    """``clock``: seconds; default: the database's. Raises StateError without one."""

    def __init__(self, database: Database, *, clock: Callable[[], float] | None = None) -> None:
        self._db = database
        self._clock = clock or database.clock

    def beat(self, id: str, key: str, *, every_app: bool, told: Mapping[str, Any]) -> list[str]:
        """A sign of life. Who lives under ``key`` and watches every app, this one included."""
        with self._db.write() as writer:
            now = self._clock()
            # One that was alive in the future is of before the clock was set back.
            writer.run("DELETE FROM watcher WHERE seen_at < ? OR seen_at > ?", _dead(now))
            writer.run(
                "INSERT INTO watcher VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
                " seen_at = excluded.seen_at, told = excluded.told",
                (id, key, int(every_app), now, json.dumps(told)),
            )
            rows = writer.rows(
                "SELECT id FROM watcher WHERE token = ? AND every_app = 1 ORDER BY id", (key,)
            )
        return [str(row[0]) for row in rows]

    def leave(self, id: str) -> None:
        with self._db.write() as writer:
            writer.run("DELETE FROM watcher WHERE id = ?", (id,))

    def watchers(self) -> list[Watcher]:
        """All that live. Changes nothing."""
        now = self._clock()
        rows = self._db.rows(
            "SELECT id, token, every_app, seen_at, told FROM watcher"
            " WHERE seen_at >= ? AND seen_at <= ? ORDER BY id",
            _dead(now),
        )
        return [
            Watcher(str(id), str(key), bool(every), max(0.0, now - at), json.loads(told))
            for id, key, every, at, told in rows
        ]

    def marks(self, key: str) -> dict[str, int]:
        """By app: its newest release of which a watch has seen the end."""
        rows = self._db.rows("SELECT app, version FROM mark WHERE token = ?", (key,))
        return {str(app): int(version) for app, version in rows}

    def mark(self, key: str, app: str, version: int) -> None:
        with self._db.write() as writer:
            writer.run(
                "INSERT INTO mark VALUES (?, ?, ?) ON CONFLICT (token, app) DO UPDATE"
                " SET version = excluded.version",
                (key, app, version),
            )


def _dead(now: float) -> tuple[float, float]:
    return now - LIVES, now + LIVES


def owner(app: str, watchers: Iterable[str]) -> str:
    """Whose ``app`` is, of the ids in ``watchers`` ("" of none): rendezvous hashing. Pure."""
    return max(watchers, key=lambda one: hashlib.sha256(f"{one}\0{app}".encode()).digest(),
               default="")  # fmt: skip
