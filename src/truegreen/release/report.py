"""What the release command says of itself, as frozen values. No text format, no I/O.

``trailer`` writes and reads them; ``verify`` takes them as evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

PHASES = ("preflight", "migrate", "smoke")


class Failure(NamedTuple):
    """One smoke test that did not pass. ``body`` is the response text that explains it, or ""."""

    test: str
    message: str
    body: str = ""


@dataclass(frozen=True, slots=True)  # a field of a NamedTuple cannot be called count
class Leak:
    """A variable that the tested code read although it was neither pinned nor let through.

    ``file`` is relative to the service's root. ``present``: the variable had a value when it was
    read (so it never is in a sealed session). ``count``: reads from this very line.
    """

    variable: str
    file: str
    line: int
    present: bool
    count: int = 1


class Phase(NamedTuple):
    """One phase's result. Which fields are filled depends on ``name``; see ``PHASES``.

    ``seconds`` is wall-clock time. ``truncated``: lists were cut so that the line stays short;
    the totals are still whole. ``ahead``: the database's revision is not one that this code
    knows, so nothing was migrated (a rollback onto a newer schema).
    """

    name: str
    status: str  # pass | fail
    seconds: float
    problems: tuple[str, ...] = ()
    # migrate
    from_revision: str | None = None
    to_revision: str | None = None
    heads: tuple[str, ...] = ()
    ahead: bool = False
    # smoke
    sealed: bool | None = None
    total: int | None = None
    passed: int | None = None
    failed: int | None = None
    errors: int | None = None
    skipped: int | None = None
    failures: tuple[Failure, ...] = ()
    leaks: tuple[Leak, ...] = ()
    truncated: bool = False


class Report(NamedTuple):
    """The release command's own account.

    ``complete``: the command came to its own end; then ``exit`` is its exit code, and a phase
    that is absent was not run: nothing is configured for it, or an earlier phase failed. Without
    ``complete`` the command was still running, or was ended from outside, when this was written.
    ``commit`` and ``release`` are the dyno's metadata (None when the platform does not give it),
    ``started_at`` is UTC, ISO 8601 with ``Z``.
    """

    complete: bool
    exit: int | None
    commit: str | None
    release: str | None
    started_at: str
    phases: tuple[Phase, ...] = ()

    def phase(self, name: str) -> Phase | None:
        """The phase called ``name``, or None when it was not run (or not finished)."""
        return next((phase for phase in self.phases if phase.name == name), None)
