"""What a review's front matter says, as frozen values. No reading, no judging.

A value that is not there is None, "" or empty: a review may be as incomplete as its writer knows.
Times are UTC with a zone; durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

# lost: its review is not kept, and nothing is known beyond what the record says
STATUSES = ("draft", "open", "resolved", "closed", "lost")
SEVERITIES = ("SEV-1", "SEV-2", "SEV-3", "SEV-4")
KINDS = ("prevent", "detect", "mitigate")
# How much of the cause an action takes away, from the weakest (Reason's hierarchy of controls).
STRENGTHS = ("procedure", "warning", "check", "constraint", "elimination")
ACTION_STATUSES = ("open", "closed")
WHEN = ("candidate", "live")
PROOF_TIMEOUT = 300.0  # seconds, for a proof that says nothing

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Red:
    """That a proof was seen failing at the incident's state, and what it said there.

    ``commit`` is the commit that it ran at; ``state`` the folder laid over that commit to bring
    the incident's state back, "" when the commit is that state itself. ``output`` is the digest of
    what the proof printed, ``proof`` the digest of the proof that was run.
    """

    commit: str
    at: datetime
    exit: int
    output: str
    proof: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """The command that shows that an action is done: exactly one of ``run`` (an argument list),
    ``test`` (a pytest id) and ``drill`` (a drill's name).

    ``files`` are what belongs to the proof (paths below the service's root); they are read from
    the trusted revision, wherever the proof runs. ``timeout`` in seconds.
    """

    run: tuple[str, ...] = ()
    test: str = ""
    drill: str = ""
    files: tuple[str, ...] = ()
    timeout: float = PROOF_TIMEOUT
    when: str = "candidate"
    red: Red | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """Somebody's decision to ship all the same, until a day."""

    by: str
    reason: str
    until: date


@dataclass(frozen=True, slots=True)
class Closed:
    """When an action was closed, at which commit its proof held, and with which proof."""

    at: datetime
    commit: str
    proof: str


@dataclass(frozen=True, slots=True)
class Action:
    """One follow-up. ``required``: nothing is shipped before it is done."""

    id: str
    title: str = ""
    owner: str = ""
    due: date | None = None
    kind: str = ""
    strength: str = ""
    required: bool = False
    status: str = "open"
    issue: str = ""
    proof: Proof | None = None
    closed: Closed | None = None
    waiver: Waiver | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Detection:
    """How it was found. ``gap``: seconds from when it was so until somebody knew."""

    by: str = ""
    gap: float | None = None
    faster: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """A review's front matter. ``state`` is the folder (beside the review) that brings the
    incident's state back when laid over the service; ``commit`` the commit it happened at."""

    id: str = ""
    title: str = ""
    date: date | None = None
    severity: str = ""
    status: str = ""
    author: str = ""
    began: datetime | None = None
    detected: datetime | None = None
    ended: datetime | None = None
    duration: float | None = None
    app: str = ""
    release: str = ""
    commit: str = ""
    ci_run: str = ""
    state: str = ""
    trigger: str = ""
    blast_radius: str = ""
    impact: Mapping[str, str] = field(default_factory=lambda: _NONE)
    detection: Detection | None = None
    runbooks: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()

    def action(self, name: str) -> Action | None:
        return next((one for one in self.actions if one.id == name), None)
