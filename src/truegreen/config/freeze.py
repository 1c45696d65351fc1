"""The tables of ``[freeze]``, wherever they stand: in truegreen.toml, or in a freeze.toml alone.

Types and keys are checked here. What a zone, a rule or a calendar file means is the freeze gate's.
"""

from __future__ import annotations

import tomllib
from datetime import date, datetime, timedelta
from pathlib import Path

from truegreen.config.model import (
    Freeze,
    FreezeCalendar,
    FreezeHolidays,
    FreezeScope,
    FreezeWindow,
)
from truegreen.config.places import placed
from truegreen.config.table import Table
from truegreen.errors import ConfigError

FILE_NAME = "freeze.toml"
KINDS = ("deny", "allow")
LARGEST = 4 * 1024 * 1024  # bytes of a calendar file
_DAY = timedelta(days=1)


def parse_freeze(table: Table, root: Path, *, zone: str = "UTC", named: bool = True) -> Freeze:
    """The freeze tables in ``table``. ``zone`` is meant where none is written.

    ``named``: the table may name a file of more windows (a freeze.toml itself may not). Paths are
    relative to ``root``. Raises ConfigError.
    """
    zone = table.text("zone", zone)
    file = table.text("file") if named else ""
    base = Freeze()
    freeze = Freeze(
        windows=tuple(_window(one, zone) for one in table.tables("window")),
        holidays=tuple(_holidays(one, zone) for one in table.tables("holidays")),
        calendars=tuple(_calendar(one, root, zone) for one in table.tables("calendar")),
        zone=zone,
        file=(root / file) if file else None,
        runway=table.seconds("runway", base.runway) if named else base.runway,
    )
    table.done()
    return freeze


def read_freeze_file(path: Path, *, zone: str = "UTC") -> Freeze:
    """The windows of a freeze.toml. Raises ConfigError with the file, the line and the key."""
    text = read_text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), "", f"is not valid TOML: {error}") from error
    if not data:
        raise ConfigError(str(path), "", "is empty", fix="add a [[window]], or remove the file")
    try:
        return parse_freeze(Table(str(path), "", data), path.parent, zone=zone, named=False)
    except ConfigError as error:
        raise placed(error, text) from error


def read_text(path: Path) -> str:
    """The text of a calendar file. Raises ConfigError: not there, too large, not UTF-8."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(str(path), "", f"cannot be read: {error.strerror}") from error
    if len(raw) > LARGEST:
        raise ConfigError(str(path), "", f"is larger than {LARGEST} bytes", fix="split it")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(str(path), "", "is not UTF-8 text", line=line) from error


def _window(table: Table, zone: str) -> FreezeWindow:
    start, end = _start(table), _end(table)
    if end <= start:
        raise table.error("end", f"{end} is not after start {start}")
    window = FreezeWindow(
        name=table.required_text("name"),
        start=start,
        end=end,
        zone=table.text("zone", zone),
        reason=table.text("reason"),
        kind=table.text("kind", "deny", one_of=KINDS),
        rrule=table.text("rrule"),
        skip=table.days("skip"),
        scope=_scope(table),
        file=table.file,
        key=table.where,
    )
    table.done()
    if window.skip and not window.rrule:
        raise table.error("skip", "means nothing without rrule", fix="add rrule, or remove it")
    return window


def _start(table: Table) -> datetime:
    day = table.raw("start")
    if type(day) is date:
        return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - wall clock, no zone yet
    return table.moment("start")


def _end(table: Table) -> datetime:
    day = table.raw("end")
    if type(day) is date:  # a day that is written is meant to its end
        try:
            return datetime(day.year, day.month, day.day) + _DAY  # noqa: DTZ001
        except OverflowError as error:
            raise table.error("end", f"{day} is out of range") from error
    return table.moment("end")


def _holidays(table: Table, zone: str) -> FreezeHolidays:
    found = FreezeHolidays(
        country=table.required_text("country"),
        subdivision=table.text("subdivision"),
        zone=table.text("zone", zone),
        reason=table.text("reason"),
        kind=table.text("kind", "deny", one_of=KINDS),
        scope=_scope(table),
        file=table.file,
        key=table.where,
    )
    table.done()
    return found


def _calendar(table: Table, root: Path, zone: str) -> FreezeCalendar:
    found = FreezeCalendar(
        path=root / table.required_text("file"),
        summary=table.text("summary", "*"),
        zone=table.text("zone", zone),
        reason=table.text("reason"),
        kind=table.text("kind", "deny", one_of=KINDS),
        scope=_scope(table),
        file=table.file,
        key=table.where,
    )
    table.done()
    return found


def _scope(table: Table) -> FreezeScope:
    return FreezeScope(
        environments=table.texts("environments"),
        apps=table.texts("apps"),
        labels=table.texts("labels"),
    )
