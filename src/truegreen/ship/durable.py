"""The engine that survives a kill: each finished step is in DBOS's tables before the next begins.

A run is one DBOS workflow, called in the thread that asked for it, so that Ctrl-C ends it where it
is. A later run of the same work is a workflow of its own that takes over the finished steps of the
unfinished ones before it. DBOS's own recovery is not used: it would run the work in whichever
process dequeues it, which may have neither the checkout nor the token nor the lease. So:

- every process is an executor of its own (two under one id would run a live step twice);
- the application's version is the pipeline's (the default is a hash of the source, and strands what
  an older source began);
- nothing is dequeued, and nothing is pickled: steps are JSON.

Importing this module imports DBOS, which takes half a second: only ``ship`` does, in a thread.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import astuple
from types import TracebackType
from typing import Any, Self

from dbos import DBOS, SetWorkflowID
from dbos._serialization import Serializer
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from truegreen.errors import Refused, UsageError
from truegreen.ship.holder import Holder
from truegreen.ship.memory import PIPELINE_VERSION, Json, Memory, RunKey, T
from truegreen.state import Location, StateError

FILE = "engine"  # of Location.file
SCHEMA = "truegreen_engine"
WORKFLOW = "truegreen.ship"
_UNFINISHED = "PENDING"
_WORK: dict[str, Callable[[], None]] = {}  # by workflow id: what this process is at


class JsonSerializer(Serializer):
    """What stands in the database is JSON: a pickle from a shared database would be code."""

    def serialize(self, data: Any) -> str:
        return json.dumps(data, default=str)

    def deserialize(self, serialized_data: str) -> Any:
        return json.loads(serialized_data)

    def name(self) -> str:
        return "truegreen_json"


class _Left(BaseException):
    """Carries an error past DBOS, which would record any Exception as the step's result. The step
    is then not finished, and neither is the workflow."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


@DBOS.workflow(name=WORKFLOW)
def _workflow(_key: list[str]) -> None:
    work = _WORK.get(str(DBOS.workflow_id))
    if work is None:
        raise RuntimeError("this run belongs to another process")
    work()


class DurableEngine:
    """One a process, from ``start`` to ``close``; a context manager."""

    @classmethod
    def start(cls, location: Location) -> Self:
        """Opens the engine's database, and makes it where there is none.

        Raises UsageError for a file that is not DBOS's, StateError when the database does not
        answer.
        """
        url = _prepare(location)
        DBOS(
            config={
                "name": "truegreen",
                "system_database_url": url,
                "dbos_system_schema": SCHEMA,
                "application_version": PIPELINE_VERSION,
                "executor_id": Holder.here().id,
                "serializer": JsonSerializer(),
                "use_listen_notify": False,
                "log_level": "CRITICAL",
                "notification_listener_polling_interval_sec": 0.02,  # close() waits for as long
            }
        )
        try:
            DBOS.listen_queues([])
            DBOS.launch()
        except SQLAlchemyError as error:
            DBOS.destroy()
            told = type(error).__name__ if location.shared else str(error.__cause__ or error)
            raise StateError(
                f"the engine's database {location} cannot be used: {told}",
                hint="nothing is lost with it: what was begun is found again on the platform",
            ) from None
        return cls()

    def run(self, key: RunKey, work: Callable[[Memory], T]) -> T:
        """See memory.Engine. Call it in one thread at a time."""
        prefix = f"ship-{_digest(key)}-"
        number, unfinished = _earlier(prefix)
        memory = DurableMemory(_finished_steps(unfinished))
        results: list[T] = []
        refused: list[Exception] = []

        def body() -> None:
            try:
                results.append(work(memory))
            except (Refused, UsageError) as error:
                refused.append(error)
            except BaseException as error:  # noqa: BLE001 - carried past DBOS, and raised below
                raise _Left(error) from None

        name = f"{prefix}{number:06d}-{Holder.here().id}"
        _WORK[name] = body
        try:
            with SetWorkflowID(name):
                _workflow([*astuple(key)])
        except _Left as left:
            raise left.error from None
        finally:
            del _WORK[name]
        for earlier in unfinished:
            DBOS.cancel_workflow(earlier)
        if refused:
            raise refused[0]
        return results[0]

    def close(self) -> None:
        DBOS.destroy()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class DurableMemory:
    """The steps of one workflow, and those that earlier ones had finished."""

    def __init__(self, known: Mapping[str, Json]) -> None:
        self._known = dict(known)
        self._recalled: list[str] = []

    @property
    def recalled(self) -> tuple[str, ...]:
        return tuple(self._recalled)

    def step(self, name: str, work: Callable[[], Json]) -> Json:
        def once() -> dict[str, Any]:
            if name in self._known:
                self._recalled.append(name)
                return dict(self._known[name])
            try:
                return dict(work())
            except Exception as error:  # noqa: BLE001 - carried past DBOS, and raised below
                raise _Left(error) from None

        try:
            return DBOS.run_step({"name": name}, once)
        except _Left as left:
            raise left.error from None


def _prepare(location: Location) -> str:
    if location.url is not None:
        return location.url.reveal()
    path = location.file(FILE).absolute()
    try:
        location.make_folder()
        with closing(sqlite3.connect(path, timeout=30.0)) as db:
            db.execute("PRAGMA journal_mode=WAL")  # stays; a commit then costs one fsync
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except (OSError, sqlite3.DatabaseError) as error:
        raise UsageError(
            f"{path} cannot be used: {error}",
            hint="move it away; what was begun is found again on the platform",
        ) from error
    return URL.create("sqlite", database=str(path)).render_as_string()


def _digest(key: RunKey) -> str:
    return hashlib.sha256(json.dumps(astuple(key)).encode()).hexdigest()[:24]


def _earlier(prefix: str) -> tuple[int, tuple[str, ...]]:
    """The next run's number, and the ids of the unfinished runs after the last finished one.

    In the order of their numbers: created_at has whole seconds on SQLite.
    """
    found = DBOS.list_workflows(
        name=WORKFLOW, workflow_id_prefix=prefix, app_version=PIPELINE_VERSION,
        load_input=False, load_output=False,
    )  # fmt: skip
    ordered = sorted((flow.workflow_id, flow.status) for flow in found)
    unfinished: list[str] = []
    for name, status in ordered:
        if status == _UNFINISHED:
            unfinished.append(name)
        elif status != "CANCELLED":
            unfinished.clear()
    last = int(ordered[-1][0][len(prefix) :][:6]) if ordered else 0
    return last + 1, tuple(unfinished)


def _finished_steps(workflows: tuple[str, ...]) -> dict[str, Json]:
    """What the steps of these runs came to, the latest run's word first."""
    known: dict[str, Json] = {}
    for name in workflows:
        for step in DBOS.list_workflow_steps(name):
            output = step["output"]
            if step["error"] is None and isinstance(output, dict):
                known[step["function_name"]] = output
    return known
