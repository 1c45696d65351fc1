"""Runs that are under way, in the database beside the leases: what a board follows while they last.

One row an app, its last run's, so that nothing grows. Not a record: the ledger has a run when it
has ended, and whether a run here still lives is for its lease to say. ``broadcast`` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from truegreen.state import Database, Location, Schema, open_database
from truegreen.state.database import Row

_TABLE = """
CREATE TABLE IF NOT EXISTS underway (
    app TEXT PRIMARY KEY, holder TEXT NOT NULL, kind TEXT NOT NULL, commit_sha TEXT NOT NULL,
    owner TEXT NOT NULL, command TEXT NOT NULL, after_record BIGINT NOT NULL,
    began_at DOUBLE PRECISION NOT NULL, told_at DOUBLE PRECISION NOT NULL,
    ended INTEGER NOT NULL, revision INTEGER NOT NULL,
    step TEXT NOT NULL, step_state TEXT NOT NULL, step_at TEXT NOT NULL, step_text TEXT NOT NULL,
    body TEXT NOT NULL
);
"""
SCHEMA = Schema("underway", 1, _TABLE, _TABLE)
_COLUMNS = (
    "app, holder, kind, commit_sha, owner, command, after_record, began_at, told_at, ended,"
    " revision, step, step_state, step_at, step_text"
)
_TELL = """
UPDATE underway SET told_at = ?, ended = ?, revision = revision + 1,
    step = ?, step_state = ?, step_at = ?, step_text = ?, body = ?
WHERE app = ? AND holder = ?
"""
_SELECT = f"SELECT {_COLUMNS} FROM underway"  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is known of a run when it begins. ``app`` and ``holder``: those of its lease.

    ``commit``: empty where none is shipped. ``command``: the command line that goes on when the
    run was killed. ``after``: the ledger's last record then.
    """

    app: str
    holder: str
    owner: str
    kind: str  # ship, retry, rollback
    commit: str
    command: str
    after: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. ``step`` began at ``step_at`` (RFC 3339, the clock of the run's machine);
    ``body``: ``events`` and ``checks`` as in a run's document, and ``output``."""

    step: str = ""
    step_state: str = ""  # running, done, skipped, failed
    step_at: str = ""
    step_text: str = ""
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Underway:
    """A run that has begun. Times: seconds since 1970, the database's. ``ended``: it said so."""

    beginning: Beginning
    began_at: float
    told_at: float
    ended: bool
    revision: int
    progress: Progress


class UnderwayRuns:
    """The runs of one database. One connection: use it in one thread at a time."""

    def __init__(self, database: Database) -> None:
        self._db = database

    @classmethod
    def open(cls, location: Location) -> UnderwayRuns:
        return cls(open_database(location, SCHEMA))

    @staticmethod
    def begun(location: Location) -> bool:
        """Whether anything can stand there: opening it would not make it."""
        return location.shared or location.file(SCHEMA.name).is_file()

    def begin(self, run: Beginning) -> None:
        """From now on it is the app's last run."""
        with self._db.write() as writer:
            now = self._db.clock()
            before = writer.rows("SELECT revision FROM underway WHERE app = ?", (run.app,))
            revision = before[0][0] + 1 if before else 1  # goes on, so that a follower sees it
            writer.run("DELETE FROM underway WHERE app = ?", (run.app,))
            writer.run(
                f"INSERT INTO underway ({_COLUMNS}, body) VALUES ({', '.join('?' * 16)})",  # noqa: S608
                (run.app, run.holder, run.kind, run.commit, run.owner, run.command, run.after,
                 now, now, 0, revision, "", "", "", "", "{}"),
            )  # fmt: skip

    def tell(self, app: str, holder: str, progress: Progress, *, ended: bool) -> bool:
        """Writes how far the run is; False when another run of the app has begun since."""
        body = json.dumps(progress.body or {}, ensure_ascii=True)
        values = (
            self._db.clock(), int(ended), progress.step, progress.step_state, progress.step_at,
            progress.step_text, body, app, holder,
        )  # fmt: skip
        with self._db.write() as writer:
            told = writer.run(_TELL, values)
        return bool(told)

    def open_ones(self) -> tuple[Underway, ...]:
        """Those that have not said that they ended, by app, without their bodies."""
        rows = self._db.rows(f"{_SELECT} WHERE ended = 0 ORDER BY app")
        return tuple(_underway(row) for row in rows)

    def look(self, app: str) -> Underway | None:
        """The last run of ``app``, whole."""
        statement = f"SELECT {_COLUMNS}, body FROM underway WHERE app = ?"  # noqa: S608
        return next((_underway(row) for row in self._db.rows(statement, (app,))), None)

    def named(self, name: str) -> Underway | None:
        """The newest of the runs whose app is called ``name``, on whichever platform, whole."""
        apps = self._db.rows("SELECT app FROM underway ORDER BY began_at DESC")
        found = [app for (app,) in apps if app.rpartition("/apps/")[2] == name]
        return self.look(found[0]) if found else None

    def revisions(self) -> dict[str, int]:
        """A number an app, higher whenever something was told."""
        return dict(self._db.rows("SELECT app, revision FROM underway"))

    def close(self) -> None:
        self._db.close()


def _underway(row: Row) -> Underway:
    app, holder, kind, commit, owner, command, after, began, told, ended, revision, *far = row
    beginning = Beginning(app, holder, owner, kind, commit, command, after)
    step, state, at, text = far[:4]
    body = json.loads(far[4]) if len(far) == 5 else None
    progress = Progress(step, state, at, text, body if isinstance(body, dict) else None)
    return Underway(beginning, began, told, bool(ended), revision, progress)
