"""May the app go back to an earlier release? Four questions, each answered from read facts. Pure.

A rollback runs the *old* code, and its release command, against the *new* schema, with the config
vars that the old release had. The reading is ship/rollback.py's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from truegreen.model.evidence import Status

_OURS = re.compile(r"\btruegreen\s+release\b")
_ALEMBIC = re.compile(r"\balembic\b(?:\s+-\S+(?:\s+\S+)?)*\s+upgrade\b")


@dataclass(frozen=True, slots=True)
class Precondition:
    """One question before a rollback, with its answer."""

    name: str  # eligible | schema | release-command | flags
    status: Status
    told: str

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "status": str(self.status), "told": self.told}


@dataclass(frozen=True, slots=True)
class RollbackFacts:
    """What was read about the release to go back to. None: it could not be found out.

    ``knows_schema``: the old code has the database's revision. ``flag_problems`` are those of the
    old code's declaration against the config vars that the old release had.
    """

    version: int
    current: bool
    has_slug: bool
    eligible: bool | None
    status: str
    schema: str | None
    migrates: bool
    knows_schema: bool | None
    release_command: str | None  # "" when the old slug has none
    flag_problems: Sequence[str] | None


def preconditions(facts: RollbackFacts) -> tuple[Precondition, ...]:
    """The four answers; a rollback is sound when each passes."""
    return (_eligible(facts), _schema(facts), _command(facts), _flags(facts))


def _eligible(facts: RollbackFacts) -> Precondition:
    name = f"v{facts.version}"
    if facts.current:
        return Precondition("eligible", Status.FAIL, f"{name} is the current release")
    if not facts.has_slug:
        return Precondition("eligible", Status.FAIL, f"{name} has no slug")
    if facts.status != "succeeded":
        return Precondition("eligible", Status.FAIL, f"{name} is {facts.status}, not succeeded")
    if facts.eligible is None:
        return Precondition("eligible", Status.UNKNOWN, f"the platform is silent about {name}")
    if not facts.eligible:
        return Precondition("eligible", Status.FAIL, f"the platform no longer offers {name}")
    return Precondition("eligible", Status.PASS, f"{name} succeeded, and its slug is kept")


def _schema(facts: RollbackFacts) -> Precondition:
    if not facts.migrates:
        return Precondition("schema", Status.PASS, "the service has no migrations")
    if facts.schema is None:
        return Precondition("schema", Status.UNKNOWN, "where the database is, is not known")
    if facts.knows_schema is None:
        told = f"whether the old code knows {facts.schema} is not known: its commit is not here"
        return Precondition("schema", Status.UNKNOWN, told)
    if facts.knows_schema:
        return Precondition("schema", Status.PASS, f"the old code knows {facts.schema}")
    told = f"the database is at {facts.schema}, which the old code does not know"
    return Precondition("schema", Status.FAIL, told)


def _command(facts: RollbackFacts) -> Precondition:
    command = facts.release_command
    if command is None:
        return Precondition("release-command", Status.UNKNOWN, "the old slug could not be read")
    if not command:
        return Precondition("release-command", Status.PASS, "the old slug has no release command")
    if _OURS.search(command):
        return Precondition("release-command", Status.PASS, "it bears a schema newer than itself")
    if not facts.migrates or facts.knows_schema:
        return Precondition("release-command", Status.PASS, "it finds the schema that it knows")
    if facts.knows_schema is False and _ALEMBIC.search(command):
        told = f"{command!r} will end with: Can't locate revision identified by '{facts.schema}'"
        return Precondition("release-command", Status.FAIL, told)
    told = f"what {command!r} does to a schema that it may not know, is not known"
    return Precondition("release-command", Status.UNKNOWN, told)


def _flags(facts: RollbackFacts) -> Precondition:
    if facts.flag_problems is None:
        told = "the old declaration, or the old release's config vars, could not be read"
        return Precondition("flags", Status.UNKNOWN, told)
    if facts.flag_problems:
        return Precondition("flags", Status.FAIL, "; ".join(facts.flag_problems))
    return Precondition("flags", Status.PASS, "its config vars fit the flags that it declares")
