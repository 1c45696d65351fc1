"""A drill as its file says it: values only. How the file is read is drill_file.py's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from truegreen.embedded.faults import AppFault, Fault
from truegreen.model import BY_NAME

# What reports a fault when nothing was changed: ship's look at what serves, rollback's preflight.
REFUSALS = (
    "forward",
    "rollback.eligible",
    "rollback.schema",
    "rollback.release-command",
    "rollback.flags",
)
REPORTERS = (*BY_NAME, *REFUSALS)
SERVICES = ("tiny", "alembic")
STEPS = ("ship", "push", "write", "edit", "append", "remove", "set", "inject", "rewind")
ASKS = ("ship", "verify", "rollback", "rollback-anyway")
STATUSES = ("fail", "unknown", "refused")
VERDICTS = {"fail": "red", "unknown": "unverified", "refused": "refused"}
# The moment from which the time of the detection runs.
MOMENTS = ("fault", "made", "ended", "crash")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is done before the question is asked; ``do`` is one of STEPS."""

    do: str
    file: str = ""
    text: str = ""
    replace: str = ""
    by: str = ""
    config: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Then:
    """What is known of the day on which it happened. ``seconds`` None: nobody wrote it down."""

    seconds: float | None = None
    told: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A fault, its control, and what has to report it.

    Both runs do ``before``; then the control does ``control``, the fault ``fault``, and both ask
    ``ask``. ``check`` must answer ``status`` within ``within`` seconds of the moment ``since``;
    ``also`` are the checks that may report it too, as a consequence. ``sentence`` and ``because``
    are whole sentences in which ``{app}``, ``{old}``, ``{new}``, … stand for this run's own and
    ``…`` for anything. ``workflow`` is what that day's workflow says of the fault.
    """

    name: str
    title: str
    check: str
    status: str
    ask: str
    sentence: str
    source: str  # where the file is, for people
    root: Path | None = None  # the service's root whose file it is; None for a shipped drill
    proves: str = ""
    incident: str = ""
    service: str = "tiny"
    also: tuple[str, ...] = ()
    within: float = 15.0
    since: str = "fault"
    workflow: str = ""
    finding: str = ""
    because: str = ""
    then: Then = Then()
    before: tuple[Step, ...] = (Step("ship"),)
    control: tuple[Step, ...] = ()
    fault: tuple[Step, ...] = ()

    @property
    def verdict(self) -> str:
        """What the fault's run has to come to."""
        return VERDICTS[self.status]

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The platform's faults that any of its runs puts in."""
        steps = (*self.before, *self.control, *self.fault)
        return tuple(step.fault for step in steps if step.fault is not None)

    @property
    def alone(self) -> bool:
        """Whether its faults reach other apps of the platform too."""
        return any(not isinstance(fault, AppFault) for fault in self.faults)
