"""Alembic's upgrade to head as a release command does it: ``python -m … QUESTION ANSWER``.

Runs in the service's root and environment, because it runs the service's env.py, which knows how to
reach the database. QUESTION is a JSON file of ``Question``; the answer goes to the file ANSWER
(env.py may print what it likes), again after each step: a killed run tells how far it came.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from truegreen.release.migrate import revision_files
from truegreen.release.migrate.environment import environment
from truegreen.release.migrate.patience import (
    first_line,
    is_lock_trouble,
    pause,
    wait_for_lock,
)
from truegreen.release.migrate.session_lock import LockFailed, SessionLock, held, key_of


@dataclass(frozen=True, slots=True)
class Question:
    """``ini`` as given to Alembic; the rest in seconds, as in ``[migrations]``."""

    ini: str
    lock_wait: float
    lock_timeout: float
    lock_patience: float


@dataclass(slots=True)
class Answer:
    """``before`` and ``after``: the database's revisions, None while not known. ``unknown``: those
    that this code does not know. ``problem``: why it ended badly, one sentence."""

    before: list[str] | None = None
    after: list[str] | None = None
    heads: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    attempts: int = 0
    problem: str = ""


class Stop(Exception):
    """Ends the upgrade; says why."""


class _Busy(Exception):
    """Somebody held a lock; nothing of the interrupted migration is left."""

    def __init__(self, cause: str, vacuum_timeout: float | None) -> None:
        super().__init__(cause)
        self.vacuum_timeout = vacuum_timeout


class Upgrade:
    """One upgrade, tried until it is through or patience ends."""

    def __init__(
        self,
        question: Question,
        answer: Answer,
        save: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self._question = question
        self._answer = answer
        self._save = save
        self._say = say
        self._timeout = question.lock_timeout
        self._lock: SessionLock | None = None
        self._config = Config(question.ini)
        self._scripts = ScriptDirectory.from_config(self._config)

    @property
    def folder(self) -> Path:
        return Path(self._scripts.dir)

    def run(self) -> None:
        """Raises Stop, and whatever the revisions, env.py or the database raise."""
        self._answer.heads = sorted(self._scripts.get_heads())
        until = time.monotonic() + self._question.lock_patience
        while True:
            self._answer.attempts += 1
            try:
                with environment(
                    self._config,
                    self._scripts,
                    self.steps,
                    configure=_one_transaction_each,
                    migrate=self.guarded,
                ):
                    self._scripts.run_env()
                return
            except _Busy as busy:
                wait = pause(self._answer.attempts, random.random())  # noqa: S311 - no secret
                if time.monotonic() + wait >= until:
                    raise Stop(
                        f"no lock within {self._question.lock_patience:g} s and "
                        f"{self._answer.attempts} attempts: {busy}"
                    ) from busy
                self._timeout = wait_for_lock(self._question.lock_timeout, busy.vacuum_timeout)
                if self._answer.attempts in (1, 10, 50, 100):
                    self._say(f"migrate: a table is in use by {busy}; trying again")
                time.sleep(wait)

    def guarded(self, context: Any, run: Callable[[], None]) -> None:
        """Runs ``run``, which migrates, under the lock and with a bounded wait for every table."""
        connection = context.connection
        if connection is None:
            raise Stop("env.py gave Alembic no connection")
        key = key_of(context.version_table_schema, context.version_table)
        with held(connection, key, self._question.lock_wait, self._say) as lock:
            self._lock = lock
            try:
                if lock is not None:
                    self._bound_waits(connection)
                run()
            except DBAPIError as error:
                if lock is None or not is_lock_trouble(error):
                    raise
                told, vacuum = lock.blockers()
                raise _Busy(told, lock.deadlock_timeout() if vacuum else None) from error
            finally:
                self._lock = None

    def steps(self, found: Any, context: Any) -> Iterator[Any]:
        """The steps from where the database is, read under the lock; what Alembic calls ``fn``."""
        scripts, answer = self._scripts, self._answer
        current = sorted(found)
        known = {script.revision for script in scripts.walk_revisions()}
        if answer.before is None:
            answer.before = current
        answer.after = current
        answer.unknown = [one for one in current if one not in known]
        self._save()
        if answer.unknown:
            self._say(
                f"migrate: the database is at {named(current)}, which this code does not "
                f"know (its head is {named(answer.heads)}): it is ahead, and is left as it is"
            )
            return
        if len(answer.heads) != 1:
            wrong = revision_files.broken(revision_files.declared(self.folder, Path.cwd()))
            if wrong is not None:
                raise Stop(str(wrong))
            raise Stop(
                f"{len(answer.heads)} heads, {named(answer.heads)}: an upgrade would have to "
                "choose (run: alembic merge heads)"
            )
        if current == answer.heads:
            self._say(f"migrate: the database is at head already, {named(current)}")
            return
        self._say(f"migrate: {named(current)} → {named(answer.heads)}")
        for step in scripts._upgrade_revs(answer.heads[0], found):
            if self._lock is not None:
                self._lock.check()
            began = time.monotonic()
            yield step
            answer.after = sorted(context.get_current_heads())
            _end_reading(context)
            self._save()
            doc = (step.revision.doc or "").splitlines()
            text = f" {doc[0]}" if doc and doc[0] else ""
            took = time.monotonic() - began
            self._say(f"migrate: {step.revision.revision}{text} ({took:.1f} s)")

    def _bound_waits(self, connection: Any) -> None:
        """Every transaction waits for a table no longer than this, and then gives up its place.

        SET LOCAL, so that nothing is left in a pooler's connection. CREATE INDEX CONCURRENTLY and
        others outside of transactions wait without keeping readers waiting, and are left alone.
        """
        statement = f"SET LOCAL lock_timeout = {max(1, round(self._timeout * 1000))}"

        def begin(begun: Any) -> None:
            if begun.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
                cursor = begun.connection.cursor()  # the driver's: SQLAlchemy is still beginning
                cursor.execute(statement)
                cursor.close()

        if connection.in_transaction():  # env.py began one itself
            connection.exec_driver_sql(statement)
        event.listen(connection, "begin", begin)


def _one_transaction_each(configure: Callable[..., None], given: dict[str, Any]) -> None:
    configure(**{**given, "transaction_per_migration": True})


def _end_reading(context: Any) -> None:
    """Reading the version table began a transaction, unless there is env.py's own."""
    if not context._in_external_transaction and context.connection.in_transaction():
        context.connection.rollback()


def named(revisions: list[str]) -> str:
    return ", ".join(revisions) or "no revision"


def explain(error: BaseException, upgrade: Upgrade | None, root: Path) -> str:
    """One sentence: the file, the key and what is wrong, as far as that can be told."""
    if isinstance(error, (Stop, LockFailed)):
        return str(error)
    if isinstance(error, DBAPIError):
        where = revision_files.blame(error, root)
        return f"{where}: {first_line(error)}" if where else first_line(error)
    if upgrade is not None:
        wrong = revision_files.broken(revision_files.declared(upgrade.folder, root))
        if wrong is not None:
            return f"{wrong} (alembic: {' '.join(str(error).split())})"
    where = revision_files.blame(error, root)
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return f"{where}: {text}" if where else text


def main(question_file: str, answer_file: str) -> int:
    """0 when the database is at head, or ahead of this code; 1 with a problem in the answer."""
    root = Path.cwd()
    question = Question(**json.loads(Path(question_file).read_text(encoding="utf-8")))
    answer = Answer()
    target = Path(answer_file)

    def save() -> None:
        fresh = target.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(answer)), encoding="utf-8")
        fresh.replace(target)

    upgrade: Upgrade | None = None
    try:
        upgrade = Upgrade(question, answer, save, say)
        upgrade.run()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a revision may raise anything
        answer.problem = explain(error, upgrade, root)
        if not isinstance(error, (Stop, LockFailed, DBAPIError)):
            traceback.print_exc()
        save()
        return 1
    save()
    return 0


def say(line: str) -> None:
    """Prints at once; a reader that has left is no reason to break off."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
