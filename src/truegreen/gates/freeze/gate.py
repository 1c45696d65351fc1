"""The freeze gate itself: reads the calendar for the moment that is asked about, and answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from truegreen.errors import ConfigError
from truegreen.gates.freeze.calendar import HORIZON, read_calendar
from truegreen.gates.freeze.decide import NAME, decide
from truegreen.gates.freeze.lock import look_at_lock
from truegreen.gates.freeze.runway import runway
from truegreen.gates.freeze.window import Subject
from truegreen.gates.question import Question
from truegreen.gates.result import Finding, GateResult
from truegreen.model import Status

_BEFORE = timedelta(days=1)


def ask(question: Question) -> GateResult:
    """Whether a release may begin at the question's moment and be over before a freeze.

    unknown: any part of the calendar cannot be read. What it would have said is not guessed.
    """
    now = question.now
    try:
        calendar = read_calendar(question.config, *around(now))
        lock = look_at_lock(question.config, now)
    except ConfigError as error:
        return unreadable(error, now)
    needs = runway(question.past.durations, question.config.freeze.runway)
    return with_lock(decide(calendar, subject_of(question), now, needs), lock)


def with_lock(answer: GateResult, lock: Finding | None) -> GateResult:
    """``answer``, with what is to be said of the lock that the release command reads. Pure."""
    if lock is None:
        return answer
    findings = (*answer.findings, lock)
    if not lock.blocks or not answer.open:
        return replace(answer, findings=findings)
    return replace(
        answer,
        status=Status.UNKNOWN,
        reason=f"{lock.where}: {lock.text}",
        clears="truegreen freeze lock, and commit it",
        findings=findings,
    )


def around(now: datetime) -> tuple[datetime, datetime]:
    """The stretch of time that is read for a decision at ``now``. Raises ConfigError at the ends
    of time."""
    try:
        return now - _BEFORE, now + HORIZON
    except OverflowError as error:
        raise ConfigError("--at", "", f"{now} is out of range") from error


def subject_of(question: Question) -> Subject:
    return Subject(question.environment.name, question.app, question.config.labels)


def unreadable(error: ConfigError, now: datetime) -> GateResult:
    """The answer where the calendar cannot be read. Pure."""
    place = f"{error.file}:{error.line}" if error.line else error.file
    fix = f": {error.fix}" if error.fix else ""
    told = f"{error.key}: {error.problem}" if error.key else error.problem
    return GateResult(
        NAME,
        Status.UNKNOWN,
        error.message,
        now,
        f"correct the calendar{fix}; then: truegreen freeze status",
        (Finding("unreadable", place, told),),
        error.file,
    )
