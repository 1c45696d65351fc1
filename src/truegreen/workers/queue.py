"""Jobs in the shared Postgres: written down, taken, kept alive, ended, handed back, looked at.

Never two of one app at once, in order of arrival inside an app, and among apps the one that was
served longest ago first. Who waits here and what a worker does with a job is not this module's.
Every transaction locks the app's row of ``job_place`` before a row of ``job``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, Self

from truegreen.errors import UsageError
from truegreen.ship.holder import Holder, has_ended
from truegreen.state import DATABASE_URL, Location
from truegreen.state.database import Writer
from truegreen.state.postgres import PostgresDatabase
from truegreen.workers.job import WITHDRAWN, Ending, Job, Seen, Standing
from truegreen.workers.line import Line, Waits
from truegreen.workers.order import Order, Understands
from truegreen.workers.tables import CHANNEL, JOB_CHANNEL, SCHEMA
from truegreen.workers.withdrawal import Withdrawal, withdrawn

SECONDS = 30.0  # how long a claim outlives its last heartbeat
MOST = 200  # jobs that wait, of one look at the line
MOST_LOST = 5  # workers that a job may take with it
_DAY = 86_400.0
_KEPT = 90 * _DAY
_ORDERED = (
    "place, app, environment, repository, prefix, commit_sha, options, protocol, asked_by, asked_at"
)
_COLUMNS = ", ".join("commit_sha" if f.name == "commit" else f.name for f in fields(Job))
_SELECT = f"SELECT {_COLUMNS} FROM job"  # noqa: S608 - constants only
_NOW = "extract(epoch FROM clock_timestamp())::float8"
# The first job of each app that nobody is at; apps by when they were served, then by arrival.
# A worker that finds an app's row locked looks at the next one.
_NEXT = """
SELECT p.place FROM job_place p JOIN (
    SELECT DISTINCT ON (place) place, id, protocol, repository FROM job
    WHERE state = 'waiting' ORDER BY place, id
) j USING (place)
WHERE p.job IS NULL AND j.protocol BETWEEN ? AND ? AND j.repository LIKE ANY (?)
ORDER BY p.served_at, j.id LIMIT 1 FOR UPDATE OF p SKIP LOCKED
"""
_HELD = "SELECT job FROM job_place WHERE job IS NOT NULL ORDER BY place FOR UPDATE SKIP LOCKED"
_FIRST = (
    f"SELECT * FROM ({_SELECT} WHERE place = ? AND state = 'waiting' ORDER BY id LIMIT 1) first"  # noqa: S608
    " WHERE protocol BETWEEN ? AND ? AND repository LIKE ANY (?)"
)
_CLAIM = "id = ? AND worker = ? AND attempt = ? AND state = 'running'"
_FREE = "UPDATE job_place SET job = NULL WHERE place = ? AND job = ?"
# What was begun goes on before anything else is begun.
_FREE_FIRST = "UPDATE job_place SET job = NULL, served_at = 0 WHERE place = ? AND job = ?"
_BACK = (
    "UPDATE job SET state = 'waiting', worker = '', process = '', progress = '[]',"
    " note = ?, lost = lost + ? WHERE id = ?"
)
_TAKE = (
    "UPDATE job SET state = 'running', worker = ?, owner = ?, process = ?, taken_at = ?,"  # noqa: S608
    f" beat_at = ?, attempt = attempt + 1 WHERE id = ? RETURNING {_COLUMNS}"
)
_LINE = f"""
SELECT {_COLUMNS}, nth, total, served_at FROM (
    SELECT job.*, 0 AS nth, 0 AS total FROM job WHERE state = 'running'
    UNION ALL (
        SELECT * FROM (
            SELECT job.*, row_number() OVER (PARTITION BY place ORDER BY id) AS nth,
                count(*) OVER () AS total FROM job WHERE state = 'waiting'
        ) waiting ORDER BY nth, id LIMIT ?
    )
) every JOIN job_place USING (place) ORDER BY nth, id
"""  # noqa: S608 - constants only
_WITHDRAW = (
    f"UPDATE job SET state = 'ended', ended_at = {_NOW}, verdict = ?, owner = ?, note = ?,"  # noqa: S608
    f" exit_code = ?, message = ?, hint = ? WHERE id = ? RETURNING {_COLUMNS}"
)


class Queue:
    """The jobs of one database. One connection: use it in one thread at a time."""

    def __init__(
        self, database: PostgresDatabase, *, ended: Callable[[str], bool] = has_ended
    ) -> None:
        self._db = database
        self._ended = ended

    @classmethod
    def open(cls, location: Location) -> Self:
        """Raises UsageError without a shared database, StateError when it does not answer."""
        if location.url is None:
            raise UsageError(
                f"{DATABASE_URL} is not set: workers share their jobs in a Postgres,"
                " and the SQLite of this folder is of this machine alone",
                hint=f"export {DATABASE_URL}=postgresql://user:password@host/database",
            )
        return cls(PostgresDatabase.open(location.url, SCHEMA))

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # runners

    def enqueue(self, order: Order) -> int:
        """Writes the order down, and returns the job's number."""
        with self._db.write_beside() as writer:
            writer.run("INSERT INTO job_place (place) VALUES (?) ON CONFLICT DO NOTHING",
                       (order.place,))  # fmt: skip
            made = writer.rows(
                f"INSERT INTO job ({_ORDERED})"  # noqa: S608
                f" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, {_NOW}) RETURNING id",
                (
                    order.place, order.app, order.environment, order.repository, order.prefix,
                    order.commit, order.options.to_text(), order.protocol, order.asked_by,
                ),
            )  # fmt: skip
            number = int(made[0][0])
            _tell(writer, CHANNEL)
        return number

    def standing(self, number: int) -> Standing | None:
        """Where the job is; None for a number that no job has."""
        found = [Job(*row) for row in self._db.rows(f"{_SELECT} WHERE id = ?", (number,))]
        if not found:
            return None
        job = found[0]
        before = 0
        if job.state == "waiting":
            counted = self._db.rows(
                "SELECT count(*) FROM job WHERE place = ? AND (state = 'running'"
                " OR state = 'waiting' AND id < ?)",
                (job.place, number),
            )
            # To its end: a Ctrl-C in what clears up after half-read rows would be lost.
            ((before,),) = counted
        return Standing(job, before, self.workers())

    def line(self, most: int = MOST) -> Line:
        """What is carried out and what waits, of every app. ``most``: jobs that wait, the first of
        each app before the second of any."""
        rows = list(self._db.rows(_LINE, (most,)))
        running = tuple(Job(*row[:-3]) for row in rows if row[-3] == 0)
        waiting = tuple(Waits(Job(*row[:-3]), row[-3] - 1, row[-1]) for row in rows if row[-3])
        total = max((row[-2] for row in rows), default=0)
        return Line(running, waiting, total - len(waiting), self.workers(), self._db.clock())

    def withdraw(
        self, number: int, app: str, by: str, why: str, *, stop: bool = False
    ) -> Withdrawal | None:
        """Ends a job of ``app`` that waits and, with ``stop``, one that is carried out; any other
        is left as it is. None for a number that no job has. Who follows it hears so at once:
        ``why`` must be one line.

        The app's row is locked as it is for taking: of the two, one finds what the other left. The
        claim of a worker that is at it ends with the job, so that its next heartbeat, at once when
        it hears of this, has it stop the ship. Until that has let go of the app's lease, the next
        ship of the app waits for it.
        """
        with self._db.write_beside() as writer:
            places = writer.rows("SELECT place FROM job WHERE id = ?", (number,))
            if not places:
                return None
            _lock(writer, places[0][0])
            job = Job(*writer.rows(f"{_SELECT} WHERE id = ?", (number,))[0])
            if job.app != app or job.state not in ({"waiting", "running"} if stop else {"waiting"}):
                return Withdrawal(job, now=False)
            ending = withdrawn(job, by, why)
            rows = writer.rows(
                _WITHDRAW,
                (WITHDRAWN, by, why, ending.exit_code, ending.message, ending.hint, number),
            )
            shipping = job.owner if job.state == "running" else ""
            self._freed(writer, job, _FREE)  # what is behind it may be first now
        return Withdrawal(Job(*rows[0]), now=True, shipping=shipping)

    def listen_to(self, number: int) -> None:
        """``wait`` then returns when something becomes of the job."""
        self._db.listen(JOB_CHANNEL.format(int(number)))

    def wait(self, seconds: float) -> bool:
        """Waits until something was told, for ``seconds`` at most."""
        return self._db.heard(seconds)

    # workers

    def listen(self) -> None:
        """``fileno`` is then readable when there may be something to take."""
        self._db.listen(CHANNEL)

    def fileno(self) -> int:
        return self._db.fileno()

    def take(
        self, holder: Holder, understands: Understands, only: Sequence[str] = ("%",)
    ) -> Job | None:
        """The next job, claimed by ``holder``; None when there is none for it now. ``only``: LIKE
        patterns of the repositories that it works for."""
        while True:
            with self._db.write_beside() as writer:
                mine = (understands.oldest, understands.newest, list(only))
                places = writer.rows(_NEXT, mine)
                if not places:
                    return None
                place = places[0][0]
                # Read again now that nobody else takes one of this app or withdraws it: the first
                # may be another, and none of ours.
                first = [Job(*row) for row in writer.rows(_FIRST, (place, *mine))]
                if not first:
                    continue
                now = _now(writer)
                values = (holder.id, holder.owner, holder.process, now, now, first[0].id)
                job = Job(*writer.rows(_TAKE, values)[0])
                writer.run("UPDATE job_place SET job = ?, served_at = ? WHERE place = ?",
                           (job.id, now, place))  # fmt: skip
                _tell(writer, JOB_CHANNEL.format(job.id))
                return job

    def beat(self, claims: Sequence[Job]) -> tuple[tuple[Job, Job], ...]:
        """Keeps claims alive; returns those that hold no longer, each with its job as it is now."""
        lost = []
        with self._db.write_beside() as writer:
            for job in sorted(claims, key=lambda one: one.id):
                values = (job.id, job.worker, job.attempt)
                if not writer.run(f"UPDATE job SET beat_at = {_NOW} WHERE {_CLAIM}", values):  # noqa: S608
                    now = [Job(*row) for row in writer.rows(f"{_SELECT} WHERE id = ?", (job.id,))]
                    lost.append((job, now[0] if now else job))
        return tuple(lost)

    def progress(self, job: Job, steps: str) -> None:
        """Writes down how far the ship is: JSON of (step, state, text)."""
        with self._db.write_beside() as writer:
            writer.run(
                f"UPDATE job SET progress = ? WHERE {_CLAIM}",  # noqa: S608
                (steps, job.id, job.worker, job.attempt),
            )
            _tell(writer, JOB_CHANNEL.format(job.id))

    def end(self, job: Job, ending: Ending) -> bool:
        """Writes down how it ended. False: the claim is not ours any more, and nothing is."""
        with self._db.write_beside() as writer:
            _lock(writer, job.place)
            kept = writer.run(
                f"UPDATE job SET state = 'ended', ended_at = {_NOW}, exit_code = ?, verdict = ?,"  # noqa: S608
                f" run = ?, message = ?, hint = ? WHERE {_CLAIM}",
                (
                    ending.exit_code, ending.verdict, ending.run, ending.message, ending.hint,
                    job.id, job.worker, job.attempt,
                ),
            )  # fmt: skip
            if kept:
                self._freed(writer, job, _FREE)
        return bool(kept)

    def hand_back(self, job: Job, note: str, *, lost: bool = False) -> bool:
        """Lets another worker go on with it, before anything new. ``lost``: it counts as a worker
        that went away in the middle; after MOST_LOST of them the job ends. False as ``end``."""
        with self._db.write_beside() as writer:
            _lock(writer, job.place)
            ours = writer.rows(f"{_SELECT} WHERE {_CLAIM}", (job.id, job.worker, job.attempt))
            if ours:
                self._back(writer, Job(*ours[0]), note, lost=lost)
        return bool(ours)

    def take_over(self) -> tuple[Job, ...]:
        """Puts back what workers that are gone were at: no heartbeat for SECONDS by the database's
        clock, or this machine proves that the process ended."""
        found = []
        with self._db.write_beside() as writer:
            held = [row[0] for row in writer.rows(_HELD)]
            if not held:
                return ()
            # Asked after the lock, and by number as beat writes: no job has ended meanwhile.
            rows = writer.rows(
                f"{_SELECT} WHERE state = 'running' AND id = ANY (?) ORDER BY id",
                (held,),
            )
            now = _now(writer)
            for job in (Job(*row) for row in rows):
                if (job.beat_at or 0.0) + SECONDS <= now or self._ended(job.process):
                    self._back(writer, job, f"{job.owner} went away in the middle", lost=True)
                    found.append(job)
        return tuple(found)

    def _back(self, writer: Writer, job: Job, note: str, *, lost: bool) -> None:
        if lost and job.lost + 1 >= MOST_LOST:
            writer.run(
                f"UPDATE job SET state = 'ended', ended_at = {_NOW}, exit_code = 3,"  # noqa: S608
                " lost = lost + 1, message = ?, hint = ? WHERE id = ?",
                (
                    f"job {job.id} broke off {MOST_LOST} times, the last time: {note}",
                    "look at the workers and their logs, then enqueue it once more",
                    job.id,
                ),
            )
        else:
            writer.run(_BACK, (note, int(lost), job.id))
        self._freed(writer, job, _FREE_FIRST)

    def _freed(self, writer: Writer, job: Job, statement: str) -> None:
        writer.run(statement, (job.place, job.id))
        _tell(writer, CHANNEL)
        _tell(writer, JOB_CHANNEL.format(job.id))

    def strange(self, understands: Understands) -> tuple[Job, ...]:
        """The jobs that wait first of their app, and that a worker does not understand."""
        rows = self._db.rows(
            f"SELECT {_COLUMNS} FROM (SELECT DISTINCT ON (place) * FROM job"  # noqa: S608
            " WHERE state = 'waiting' ORDER BY place, id) first"
            " WHERE protocol NOT BETWEEN ? AND ? ORDER BY id LIMIT 100",
            (understands.oldest, understands.newest),
        )
        return tuple(Job(*row) for row in rows)

    # who works

    def sign(
        self, holder: Holder, version: str, understands: Understands, slots: int, busy: int
    ) -> None:
        """Says that a worker is alive, and what it can."""
        with self._db.write_beside() as writer:
            writer.run(
                f"INSERT INTO worker VALUES (?, ?, ?, ?, ?, ?, ?, ?, {_NOW})"  # noqa: S608
                " ON CONFLICT (id) DO UPDATE SET busy = excluded.busy, beat_at = excluded.beat_at",
                (
                    holder.id, holder.owner, holder.process, version, understands.oldest,
                    understands.newest, slots, busy,
                ),
            )  # fmt: skip

    def sign_off(self, holder: Holder) -> None:
        """The worker is gone; so are those of which nothing was heard for a day, and jobs that
        ended long ago: the record of a ship is the ledger's."""
        with self._db.write_beside() as writer:
            writer.run("DELETE FROM worker WHERE id = ?", (holder.id,))
            writer.run(f"DELETE FROM worker WHERE beat_at < {_NOW} - {_DAY}")  # noqa: S608
            writer.run(f"DELETE FROM job WHERE ended_at < {_NOW} - {_KEPT}")  # noqa: S608

    def workers(self) -> tuple[Seen, ...]:
        """The workers that are alive."""
        rows = self._db.rows(
            "SELECT id, owner, process, version, oldest, newest, slots, busy, beat_at FROM worker"  # noqa: S608
            f" WHERE beat_at > {_NOW} - {SECONDS} ORDER BY id"
        )
        found: list[Seen] = []
        for name, owner, process, version, oldest, newest, slots, busy, beat_at in rows:
            if not self._ended(process):
                known = Understands(oldest, newest)
                found.append(Seen(name, owner, version, known, slots, busy, beat_at))
        return tuple(found)


def _lock(writer: Writer, place: str) -> None:
    writer.rows("SELECT 1 FROM job_place WHERE place = ? FOR UPDATE", (place,))


def _now(writer: Writer) -> float:
    return float(writer.rows(f"SELECT {_NOW}")[0][0])


def _tell(writer: Writer, channel: str, text: str = "") -> None:
    writer.rows("SELECT pg_notify(?, ?)", (channel, text))


def like(glob: str) -> str:
    """A LIKE pattern out of a glob whose ``*`` is any text."""
    escaped: Any = glob.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return str(escaped.replace("*", "%"))
