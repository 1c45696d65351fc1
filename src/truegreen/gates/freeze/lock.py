"""Makes ``freeze.lock``, and says whether one that is there is still true.

The lock is what the release command reads (``release.freeze``): the windows as instants, for a
little over a year. It is committed with the calendar that it is made of.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from truegreen.config import Config
from truegreen.gates.freeze.calendar import HORIZON, Calendar, read_calendar
from truegreen.gates.result import Finding
from truegreen.model import stamp
from truegreen.release.freeze import FILE_NAME, FORMAT, Unreadable, read_lock

SOON = timedelta(days=30)  # before its end a lock is told to be made anew


def lock_text(config: Config, now: datetime) -> str:
    """The text of a lock made at ``now``. Raises ConfigError for a calendar that cannot be read."""
    first = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    return told(read_calendar(config, first, first + HORIZON))


def told(calendar: Calendar) -> str:
    """A calendar as a lock. Pure; the same calendar gives the same text."""
    document = {
        "format": FORMAT,
        "from": stamp(calendar.first),
        "until": stamp(calendar.last),
        "windows": [_window(one.as_json()) for one in calendar.windows],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _window(window: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in window.items() if key not in ("place", "zone")}


def look_at_lock(config: Config, now: datetime) -> Finding | None:
    """What is to be said of the lock in the service's root: nothing where there is none, or where
    it is as it should be. It blocks where the release command would refuse for it."""
    path = config.root / FILE_NAME
    if not path.exists():
        return None
    try:
        lock = read_lock(path)
    except Unreadable as error:
        return _finding(f"{error}, so the release command would refuse", blocks=True)
    if not lock.first <= now < lock.until:
        return _finding(
            f"it says nothing of {stamp(now)}, so the release command would refuse", blocks=True
        )
    if _differs(config, path, lock.first, lock.until):
        return _finding("the calendar says something else by now", blocks=False)
    if lock.until - now < SOON:
        return _finding(f"it ends at {stamp(lock.until)}", blocks=False)
    return None


def _differs(config: Config, path: Path, first: datetime, until: datetime) -> bool:
    current = told(read_calendar(config, first, until))
    return bool(json.loads(current) != json.loads(path.read_text(encoding="utf-8")))


def _finding(problem: str, *, blocks: bool) -> Finding:
    text = f"{problem}: truegreen freeze lock, and commit it"
    return Finding("lock", FILE_NAME, text, blocks=blocks)
