"""What ``truegreen freeze`` asks beyond the gate's answer: the windows themselves, and the lock."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from truegreen.config import Config
from truegreen.errors import ConfigError, Unverified
from truegreen.gates.freeze.calendar import read_calendar
from truegreen.gates.freeze.decide import decide
from truegreen.gates.freeze.gate import around, subject_of
from truegreen.gates.freeze.lock import lock_text, look_at_lock
from truegreen.gates.freeze.rules import known_zone
from truegreen.gates.freeze.runway import runway
from truegreen.gates.freeze.view import view
from truegreen.gates.freeze.window import Window
from truegreen.gates.question import Question
from truegreen.gates.result import GateResult
from truegreen.release.freeze import FILE_NAME


@dataclass(frozen=True, slots=True)
class Look:
    """A look at the calendar at one moment: the gate's answer, and the windows that concern
    ``app``."""

    app: str
    at: datetime
    answer: GateResult
    windows: tuple[Window, ...]
    config: Config

    def view(self, days: int) -> dict[str, Any]:
        """``days`` days from the moment's own on, in the zone of the freeze."""
        file = str(self.config.file or "truegreen.toml")
        zone = known_zone(self.config.freeze.zone, file, "freeze.zone")
        first = self.at.astimezone(zone).date()
        return view(self.windows, zone, first, first + timedelta(days=days - 1), self.at)


def look(question: Question) -> Look:
    """Raises Unverified, with file, line and key, for a calendar that cannot be read."""
    try:
        calendar = read_calendar(question.config, *around(question.now))
    except ConfigError as error:
        raise Unverified(error.message, hint=error.fix or "correct the calendar") from error
    subject = subject_of(question)
    needs = runway(question.past.durations, question.config.freeze.runway)
    answer = decide(calendar, subject, question.now, needs)
    return Look(question.app, question.now, answer, calendar.about(subject), question.config)


def write_lock(config: Config, now: datetime | None = None) -> Path:
    """Writes ``freeze.lock`` into the service's root, all of it or nothing. Raises ConfigError."""
    path = config.root / FILE_NAME
    text = lock_text(config, now or datetime.now(UTC))
    fresh = path.with_name(f".{FILE_NAME}.{os.getpid()}")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return path


def check_lock(config: Config, now: datetime | None = None) -> str:
    """What is wrong with the lock; empty when it is as it should be. Raises ConfigError."""
    if not (config.root / FILE_NAME).exists():
        return f"{FILE_NAME} is not there: truegreen freeze lock"
    found = look_at_lock(config, now or datetime.now(UTC))
    return f"{FILE_NAME}: {found.text}" if found else ""
