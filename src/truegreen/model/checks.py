"""The checks by name, and what each asks. The names are a contract of drills and policies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Check(NamedTuple):
    """A named question about a release. ``asked`` False: only where the project asks for it."""

    name: str
    question: str
    asked: bool = True


CHECKS: tuple[Check, ...] = (
    Check("build.succeeded", "did the build of this commit succeed"),
    Check("release.command", "is this release succeeded (not pending, failed, expired)"),
    Check("release.current", "is it the current release"),
    Check("release.report", "what did the release command itself report"),
    Check("code.slug", "is the slug's commit the commit that was shipped"),
    Check("code.dynos", "is every dyno up, on this release, as many as the formation wants"),
    Check("code.served", "does the app say, N times in a row, that it is this commit"),
    Check("health.edge", "is health 200 through the edge"),
    Check("health.origin_blocked", "does a direct request to the origin get 403"),
    Check("schema.head", "is the database at the one head of the code that serves"),
    Check("flags.config", "do the config vars parse as the declared flags, none undeclared"),
    Check("ci.conclusion", "did the CI run of this commit conclude success", asked=False),
    Check("smoke.live", "does the project's own live suite pass", asked=False),
    Check("stability", "for a time after: no crash, no later release, no drift", asked=False),
)

BY_NAME = {check.name: check for check in CHECKS}


def required_checks(optional: Iterable[str] = (), also: Iterable[str] = ()) -> tuple[str, ...]:
    """The names of the checks that a verdict requires, in order: those always asked and ``also``,
    without those made optional.

    Raises KeyError for a name in ``optional`` or ``also`` that is no check's.
    """
    left_out, added = set(optional), set(also)
    for name in left_out | added:
        if name not in BY_NAME:
            raise KeyError(name)
    return tuple(c.name for c in CHECKS if (c.asked or c.name in added) and c.name not in left_out)
