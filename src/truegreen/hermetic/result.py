"""What a test session came to, and the file by which the plugin tells it to its parent.

Values and their JSON; the plugin fills them, ``truegreen.release`` and gates read them.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FAILURES_KEPT = 100
LEAKS_KEPT = 500


@dataclass(frozen=True, slots=True)
class TestFailure:
    """A test that did not pass. ``body``: beginning of a response that explains it, or ""."""

    __test__ = False  # a value, nothing for pytest to collect

    test: str
    message: str
    body: str


@dataclass(frozen=True, slots=True)
class LeakedRead:
    variable: str
    file: str
    line: int
    present: bool
    count: int


@dataclass(frozen=True, slots=True)
class SessionResult:
    """Totals are of tests; an error is a setup, teardown or collection that failed.

    ``total``: tests that were begun. ``exit``: pytest's own exit status, leaks included.
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

    def write(self, path: Path) -> None:
        """Writes the whole of it or nothing. Raises OSError."""
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        part.write_text(json.dumps(asdict(self)), encoding="utf-8")
        part.replace(path)


def describe(leak: LeakedRead) -> str:
    """One line for people: which variable, where it was read, and the way out."""
    state = "has a value here" if leak.present else "absent here"
    times = f", {leak.count} times" if leak.count > 1 else ""
    return (
        f"{leak.variable} read at {leak.file}:{leak.line} ({state}{times}): "
        "pin it in [smoke.env] or in the test, or name it in smoke.pass_env"
    )


def read_result(path: Path) -> SessionResult | None:
    """The result in ``path``; None when there is none, or not a whole one."""
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        return SessionResult(
            **{
                **data,
                "failures": tuple(TestFailure(**one) for one in data["failures"]),
                "leaks": tuple(LeakedRead(**one) for one in data["leaks"]),
                "removed": tuple(data["removed"]),
            }
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None
