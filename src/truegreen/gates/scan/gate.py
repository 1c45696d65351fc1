"""The scan gate: the tree that would be shipped, weighed. Nothing is skipped silently: what was
excluded, is binary, damaged or no text is listed as such.

Not looked at: names of files, messages of commits, what stands in pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from truegreen.config import Config
from truegreen.gates.result import GateResult
from truegreen.gates.scan.judge import EXCLUDED, NOT_SCANNED, UNREAD
from truegreen.gates.scan.survey import Survey, Surveyor
from truegreen.model import Status

NAME = "scan"


def scan_head(config: Config, now: datetime, *, commit: str = "HEAD") -> GateResult:
    """Scans the service's folder at ``commit``. ``now`` (with a zone) dates the suppressions.

    fail: something was found that nobody suppressed. unknown: nothing was found, and something
    could not be read or no text was scanned at all. Raises UsageError where git has no such tree,
    ConfigError for rules or suppressions that do not parse.
    """
    survey = Surveyor(config, now.date()).tree(commit)
    status, reason, clears = decide(survey)
    told = "; ".join([reason, *counts(survey)])
    findings = tuple(one.as_finding() for one in survey.findings)
    return GateResult(NAME, status, told, now, clears, findings, survey.source)


def decide(survey: Survey) -> tuple[Status, str, str]:
    """Status, reason and what would clear it. Pure."""
    if survey.blocking:
        kinds = ", ".join(sorted({one.kind for one in survey.blocking}))
        return (
            Status.FAIL,
            f"{len(survey.blocking)} found ({kinds}) in {survey.texts} files",
            "remove each (a secret that was committed must be revoked too), or take it on with "
            "reason, owner and a day: truegreen scan --suppress PLACE, or --baseline for all",
        )
    if survey.unread:
        return (
            Status.UNKNOWN,
            f"{len(survey.unread)} could not be read, so nobody knows what they hold",
            "fetch what is missing (git fetch --refetch), repair what is damaged, or list it in "
            "scan.exclude",
        )
    if not survey.texts and not survey.partial:
        return Status.UNKNOWN, "no file was scanned", "commit files, or exclude less"
    return Status.PASS, f"nothing found in {survey.texts} files", ""


def counts(survey: Survey) -> Sequence[str]:
    """What was not simply scanned, for one line of prose."""
    sums = (
        ("suppressed", sum(one.suppressed for one in survey.findings)),
        ("excluded", sum(one.kind == EXCLUDED for one in survey.findings)),
        ("not scanned", sum(one.kind == NOT_SCANNED for one in survey.findings)),
        ("unreadable", sum(one.kind == UNREAD for one in survey.findings)),
    )
    return [f"{count} {what}" for what, count in sums if count]
