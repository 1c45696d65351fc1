"""Everything that says when nothing is shipped, read and put together: the configuration's own
windows, freeze.toml, ICS files, holidays. This is where the freeze gate reads files; what the
windows mean is decided in ``decide``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from truegreen.config import Config, Freeze
from truegreen.config.freeze import FILE_NAME, read_freeze_file, read_text
from truegreen.config.model import FreezeCalendar, FreezeHolidays, FreezeWindow
from truegreen.config.places import placed
from truegreen.errors import ConfigError
from truegreen.gates.freeze import days, ics, rules
from truegreen.gates.freeze.window import Subject, Window

HORIZON = timedelta(days=400)  # how far ahead windows are looked at


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read. ``digest`` is the sha256 of what stood in it."""

    file: str
    digest: str

    def as_json(self) -> dict[str, Any]:
        return {"file": self.file, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class Calendar:
    """All windows between ``first`` and ``last``, whatever they are about; and what was read."""

    windows: tuple[Window, ...]
    sources: tuple[Source, ...]
    first: datetime
    last: datetime

    def about(self, subject: Subject) -> tuple[Window, ...]:
        """The windows that concern ``subject``."""
        return tuple(one for one in self.windows if subject.is_meant(one.scope))


def read_calendar(config: Config, first: datetime, last: datetime) -> Calendar:
    """The calendar of a service for the time from ``first`` to ``last`` (with zones).

    Raises ConfigError, with file, line and key, for anything that cannot be read: half a calendar
    is none.
    """
    try:
        return _read(config, first, last)
    except ConfigError as error:
        raise _placed(error) from error


def _read(config: Config, first: datetime, last: datetime) -> Calendar:
    sources: list[Source] = []
    freezes = [config.freeze]
    if config.file is not None:
        sources.append(_source(config.file))
    own = config.freeze.file or _standing_beside(config.root)
    if own is not None:
        sources.append(_source(own))
        freezes.append(read_freeze_file(own, zone=config.freeze.zone))
    windows: list[Window] = []
    for freeze in freezes:
        windows += _windows(freeze, first, last)
        for calendar in freeze.calendars:
            text = read_text(calendar.path)
            sources.append(_source(calendar.path))
            found = list(ics.windows_of(calendar, text, first, last))
            windows += found or _sign(calendar, calendar.summary, first)
    windows.sort(key=lambda one: (one.start, one.end, one.name))
    return Calendar(tuple(windows), tuple(sources), first, last)


def _windows(freeze: Freeze, first: datetime, last: datetime) -> Iterator[Window]:
    for window in freeze.windows:
        yield from list(rules.windows_of(window, first, last)) or _sign(window, window.name, first)
    for holidays in freeze.holidays:
        found = list(days.windows_of(holidays, first, last))
        yield from found or _sign(holidays, holidays.country, first)


def _sign(
    rule: FreezeWindow | FreezeHolidays | FreezeCalendar, name: str, first: datetime
) -> list[Window]:
    """An empty window in the place of an allow rule that has none near: with it, everything outside
    is denied, also when its only window is long over or far away. Nothing for a deny rule."""
    if rule.kind != "allow":
        return []
    place = f"{Path(rule.file).name}: {rule.key}"
    return [
        Window(name, "allow", first, first, rule.zone, None, rule.reason, place, scope=rule.scope)
    ]


def _standing_beside(root: Path) -> Path | None:
    path = root / FILE_NAME
    # A name that is there and leads nowhere is no absence: reading it says what is wrong.
    return path if path.exists() or path.is_symlink() else None


def _source(path: Path) -> Source:
    return Source(path.name, hashlib.sha256(read_text(path).encode()).hexdigest())


def _placed(error: ConfigError) -> ConfigError:
    if error.line is not None or not error.file.endswith(".toml"):
        return error
    try:
        return placed(error, read_text(Path(error.file)))
    except ConfigError:
        return error
