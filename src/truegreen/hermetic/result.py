"""What a test session came to, and the file by which the plugin tells it to its parent.

Values and their JSON; the plugin fills them, ``truegreen.release`` and gates read them.
"""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

# NamedTuples, because making a dataclass costs a millisecond of every sealed session.

FAILURES_KEPT = 100
LEAKS_KEPT = 500
READS_KEPT = 2_000
TESTS_KEPT = 1_000
PHASES = ("import", "collection", "fixture", "test")


class TestFailure(NamedTuple):
    """A test that did not pass. ``body``: beginning of a response that explains it, or ""."""

    test: str
    message: str
    body: str


TestFailure.__test__ = False  # type: ignore[attr-defined]  # nothing for pytest to collect


class LeakedRead(NamedTuple):
    """Reads of one variable by the user's code on one line, not pinned and not let through.

    ``present``: it had a value. ``bulk``: it was taken out of a read of the whole environment.
    ``phase``: one of PHASES, the moment of the read; ``during``: the module that was being
    imported, the fixture that was being made, else "". ``tests``: node ids of the tests that read
    it (of a shared fixture: that use it), at most TESTS_KEPT of the ``test_count``; of an import or
    of collection it may be empty, and then every test may depend on it. ``variable`` ends in ``*``
    when all with that beginning were read.
    """

    variable: str
    file: str
    line: int
    present: bool
    count: int  # type: ignore[assignment]  # tuple's method of that name is not used
    bulk: bool = False
    phase: str = "test"
    during: str = ""
    tests: tuple[str, ...] = ()
    test_count: int = 0


class RecordedRead(NamedTuple):
    """Any read: LeakedRead's fields, and two more. ``state``: pinned | passed (let through) | open.
    ``via``: the library that read of its own accord, or "". ``variable`` is ``*`` for a read of
    everything."""

    variable: str
    file: str
    line: int
    present: bool
    count: int  # type: ignore[assignment]  # tuple's method of that name is not used
    bulk: bool = False
    phase: str = "test"
    during: str = ""
    tests: tuple[str, ...] = ()
    test_count: int = 0
    state: str = "open"
    via: str = ""

    @property
    def leaked(self) -> bool:
        """By the user's own code, of one that was neither pinned nor let through."""
        return self.state == "open" and not self.via and self.variable != "*"

    def leak(self) -> LeakedRead:
        return LeakedRead(**{name: getattr(self, name) for name in LeakedRead._fields})


class BlockedConnection(NamedTuple):
    """A connection that the seal refused. ``tests``: as in LeakedRead."""

    host: str
    port: int
    file: str
    line: int
    count: int  # type: ignore[assignment]  # tuple's method of that name is not used
    tests: tuple[str, ...] = ()


class SessionResult(NamedTuple):
    """Totals are of tests; an error is a setup, teardown or collection that failed.

    ``total``: tests that had an outcome. ``exit``: pytest's own exit status, leaks included.
    ``removed``: names that the seal took away. Lists end at FAILURES_KEPT and LEAKS_KEPT.
    """

    sealed: bool
    leaks_policy: str
    exit: int
    total: int
    passed: int
    failed: int
    errors: int
    skipped: int
    failures: tuple[TestFailure, ...]
    leaks: tuple[LeakedRead, ...]
    removed: tuple[str, ...]
    reads: tuple[RecordedRead, ...] = ()  # all that were recorded, leaks included
    blocked: tuple[BlockedConnection, ...] = ()
    unseen: tuple[str, ...] = ()  # sentences: what the recording could not see or keep

    @property
    def findings(self) -> bool:
        """Whether anything from outside may have decided a test, or could not be watched."""
        return bool(self.leaks or self.blocked or self.unseen)

    def _document(self) -> dict[str, Any]:
        lists = ("failures", "leaks", "reads", "blocked")
        return self._asdict() | {
            name: [one._asdict() for one in getattr(self, name)] for name in lists
        }

    def write(self, path: Path) -> None:
        """Writes the whole of it or nothing. Raises OSError."""
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        part.write_text(json.dumps(self._document()), encoding="utf-8")
        part.replace(path)


def read_result(path: Path) -> SessionResult | None:
    """The result in ``path``; None when there is none, or not a whole one."""
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        return SessionResult(
            **{
                **data,
                "failures": tuple(TestFailure(**one) for one in data["failures"]),
                "leaks": tuple(_leak(one) for one in data["leaks"]),
                "removed": tuple(data["removed"]),
                "reads": tuple(read_recorded(one) for one in data["reads"]),
                "blocked": tuple(read_blocked(one) for one in data["blocked"]),
                "unseen": tuple(data["unseen"]),
            }
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _leak(data: dict[str, Any]) -> LeakedRead:
    return LeakedRead(**{**data, "tests": tuple(data["tests"])})


def read_recorded(data: dict[str, Any]) -> RecordedRead:
    """Out of the JSON of its fields. Raises TypeError when they are others."""
    return RecordedRead(**{**data, "tests": tuple(data["tests"])})


def read_blocked(data: dict[str, Any]) -> BlockedConnection:
    """Out of the JSON of its fields. Raises TypeError when they are others."""
    return BlockedConnection(**{**data, "tests": tuple(data["tests"])})
