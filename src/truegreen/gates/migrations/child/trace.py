"""Runs the pending revisions on a scratch Postgres, one by one, and writes down what each did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, pool
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from truegreen.gates.migrations.child import seed as seeding
from truegreen.gates.migrations.child.observe import (
    Observer,
    changes,
    outside_transactions,
    schema,
    tables,
)
from truegreen.release.migrate.environment import environment
from truegreen.release.migrate.patience import first_line, state_of
from truegreen.release.migrate.revision_files import blame

STATEMENT_TIMEOUT = 20_000  # milliseconds; on one row a table


class Trace:
    """One tracing of ``config``'s revisions from ``base`` to the head, on the database ``url``."""

    def __init__(
        self, config: Config, scripts: ScriptDirectory, base: tuple[str, ...], url: str
    ) -> None:
        self._config = config
        self._scripts = scripts
        self._base = base
        self._heads = tuple(scripts.get_heads())
        self._engine = create_engine(url, poolclass=pool.NullPool)
        self._plain = url.replace("+psycopg", "")
        self._at_base = False
        self._known: dict[int, str] = {}
        self._observer = Observer({})
        self._record: dict[str, Any] | None = None
        self._records: list[dict[str, Any]] = []
        self._unseeded: list[str] = []
        self._seeded = False
        self._begun = False

    def run(self, root: Any) -> dict[str, Any]:
        """``{"revisions": […], "tables": […], "unseeded": […], "error": "", "state": ""}``.

        ``error``: why the base could not be built. A revision that fails is the last one.
        """
        while True:
            try:
                self._once()
                break
            except Exception as error:  # noqa: BLE001 - a revision may raise anything
                if self._record is None:
                    return {**self._told(), "error": _said(error, root), "state": state_of(error)}
                if not self._again(error, root):
                    break
        return {**self._told(), "error": "", "state": ""}

    def _told(self) -> dict[str, Any]:
        return {
            "revisions": self._records,
            "tables": sorted(self._known.values()),
            "unseeded": self._unseeded,
        }

    def _again(self, error: Exception, root: Any) -> bool:
        """Whether to run again: the first failure of a revision may be the dummy row's."""
        record = self._record
        assert record is not None
        failure = {"text": _said(error, root), "state": state_of(error)}
        if record["failed_on_rows"] is None and self._known:
            record["failed_on_rows"] = failure
            record["statements"].clear()
            with closing(self._connect()) as own:
                seeding.empty(own)
            return True
        record["error"] = failure
        return False

    def _once(self) -> None:
        made = environment(
            self._config,
            self._scripts,
            self._steps,
            configure=self._configure,
            migrate=lambda _, run: run(),
            as_sql=True,  # env.py is to think so, and not to connect
            destination_rev="heads",
        )
        self._environment = made
        with self._engine.connect() as connection:
            self._connection = connection
            connection.exec_driver_sql(f"SET statement_timeout = {STATEMENT_TIMEOUT}")
            connection.commit()
            self._listen(connection)
            with made:
                made.context_opts["as_sql"] = True
                self._scripts.run_env()

    def _configure(self, own: Callable[..., None], given: dict[str, Any]) -> None:
        self._environment.context_opts["as_sql"] = False
        for name in ("connection", "url", "dialect_name", "dialect_opts", "literal_binds"):
            given.pop(name, None)
        own(connection=self._connection, **{**given, "transaction_per_migration": True})

    def _steps(self, found: Any, _context: Any) -> Iterator[Any]:
        if not self._at_base:
            if self._base:
                yield from self._scripts._upgrade_revs(self._base, found)  # type: ignore[arg-type]
            self._at_base = True
            found = self._base
            with closing(self._connect()) as own:
                named = tables(own).items()
                self._known = {
                    oid: table.name
                    for oid, table in named
                    if not table.name.endswith("." + seeding.VERSION_TABLE)
                }
            self._observer = Observer(self._known)
        for step in self._scripts._upgrade_revs(self._heads, found):  # type: ignore[arg-type]
            with closing(self._connect()) as own:
                if not self._seeded:
                    self._unseeded = seeding.seed(own, self._known)
                    self._seeded = True
                before = schema(own)
            self._begun = False
            self._open(step.revision.revision)
            yield step
            with closing(self._connect()) as own:
                after = schema(own)
            assert self._record is not None
            known = {oid: value for oid, value in before.items() if oid in self._known}
            self._record["changes"] = changes(known, after)
            self._seeded = self._seeded and self._record["failed_on_rows"] is None
            self._record = None

    def _open(self, revision: str) -> None:
        if self._record is not None and self._record["revision"] == revision:
            return  # the second try, without rows
        self._record = {
            "revision": revision,
            "statements": [],
            "changes": [],
            "failed_on_rows": None,
            "error": None,
        }
        self._records.append(self._record)

    def _listen(self, connection: Connection) -> None:
        def outside(begun: Connection, sql: str) -> bool:
            level = begun.get_execution_options().get("isolation_level")
            return (
                level == "AUTOCOMMIT" and self._record is not None and not outside_transactions(sql)
            )

        def before(begun: Connection, _cursor: Any, sql: str, *_: Any) -> None:
            if self._record is not None and not self._begun:
                self._begun = True
                self._observer.begin(begun.connection)
            if outside(begun, sql):  # so that its locks are still held when they are read
                begun.connection.cursor().execute("BEGIN")

        def after(begun: Connection, _cursor: Any, sql: str, *_: Any) -> None:
            if self._record is None or seeding.VERSION_TABLE in sql:
                return
            alone = begun.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
            if alone:
                self._observer.new_transaction()
            seen = self._observer.after(begun.connection, sql, autocommit=alone)
            self._record["statements"].append(seen)
            if outside(begun, sql):
                begun.connection.cursor().execute("COMMIT")
            if alone:
                self._observer.new_transaction()

        def fresh(_begun: Connection) -> None:
            self._observer.new_transaction()

        event.listen(connection, "before_cursor_execute", before)
        event.listen(connection, "after_cursor_execute", after)
        event.listen(connection, "commit", fresh)
        event.listen(connection, "rollback", fresh)

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._plain, autocommit=True)


def _said(error: BaseException, root: Any) -> str:
    where = blame(error, root)
    text = first_line(error) if isinstance(error, DBAPIError) else " ".join(str(error).split())
    text = text if isinstance(error, DBAPIError) else f"{type(error).__name__}: {text}"
    return f"{where}: {text}" if where else text
