"""DORA's measures of what was shipped: how often, how fast, how often wrong, how fast right again.

Pure: runs in, numbers out. What each is, as DORA puts it (https://dora.dev/guides/dora-metrics/):
deployment frequency, change lead time, change fail rate, failed deployment recovery time, rework
rate. DORA counts what reached production; what failed before (the build, the release command, while
the old code served on) hurts no user and stands apart, as failed to deploy. A measure without a
sample is None, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Deployment:
    """One run of ship that changed what serves, or tried to. ``committed_at`` is None where
    nobody noted when its commit was made."""

    at: datetime
    commit: str | None
    verdict: str  # green | red | unverified
    committed_at: datetime | None = None
    rework: bool = False  # unplanned: it follows a failed one and mends it
    reached: bool = True  # its release became the current one


@dataclass(frozen=True, slots=True)
class Day:
    """The runs of one day (UTC)."""

    day: date
    green: int
    red: int
    unverified: int


@dataclass(frozen=True, slots=True)
class Measures:
    """Seconds and fractions. ``deployments`` are those that went green; ``samples`` says how many
    each measure rests on."""

    app: str
    since: datetime
    until: datetime
    deployments: int
    failed: int
    unverified: int
    per_day: float
    lead_time: float | None  # median, commit made → green in production
    change_failure: float | None  # of those that reached production, those that were red
    failed_to_deploy: float | None  # of runs with a verdict, the red ones that never reached it
    recovery: float | None  # median, red → the next green
    rework: float | None  # of green ones, those that mend a red one
    open_failure: datetime | None  # the red run that no green one has followed yet
    days: tuple[Day, ...]
    samples: Mapping[str, int]


def measure(app: str, runs: Sequence[Deployment], *, since: datetime, until: datetime) -> Measures:
    """The measures of ``runs`` (oldest first) between two moments, both aware."""
    within = [run for run in runs if since <= run.at <= until]
    green = [run for run in within if run.verdict == "green"]
    red = [run for run in within if run.verdict == "red"]
    lead = [
        (run.at - run.committed_at).total_seconds()
        for run in green
        if run.committed_at is not None and run.committed_at <= run.at
    ]
    recovered, open_failure = _recoveries(within)
    judged = len(green) + len(red)
    served = [run for run in red if run.reached]
    reached = len(green) + len(served)
    span = max((until - since).total_seconds() / _DAY, 1.0)
    return Measures(
        app=app,
        since=since,
        until=until,
        deployments=len(green),
        failed=len(red),
        unverified=len(within) - judged,
        per_day=len(green) / span,
        lead_time=median(lead) if lead else None,
        change_failure=len(served) / reached if reached else None,
        failed_to_deploy=(judged - reached) / judged if judged else None,
        recovery=median(recovered) if recovered else None,
        rework=sum(run.rework for run in green) / len(green) if green else None,
        open_failure=open_failure,
        days=_days(within, since, until),
        samples={
            "deployments": len(green),
            "lead_time": len(lead),
            "change_failure": reached,
            "failed_to_deploy": judged,
            "recovery": len(recovered),
            "rework": len(green),
        },
    )


def _recoveries(runs: Sequence[Deployment]) -> tuple[list[float], datetime | None]:
    """Seconds from each first red run to the green one that ended it; the one still open."""
    times: list[float] = []
    began: datetime | None = None
    for run in runs:
        if run.verdict == "red" and began is None:
            began = run.at
        elif run.verdict == "green" and began is not None:
            times.append((run.at - began).total_seconds())
            began = None
    return times, began


def _days(runs: Sequence[Deployment], since: datetime, until: datetime) -> tuple[Day, ...]:
    found: list[Day] = []
    day = since.date()
    while day <= until.date():
        of_day = [run.verdict for run in runs if run.at.date() == day]
        found.append(
            Day(day, of_day.count("green"), of_day.count("red"), of_day.count("unverified"))
        )
        day += timedelta(days=1)
    return tuple(found)
