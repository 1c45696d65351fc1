"""A strict reader of one TOML table: types are checked, unknown keys are errors.

Knows nothing of what the keys mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from truegreen.errors import ConfigError


class Table:
    """Reads keys out of one table and, at ``done()``, complains about those nobody asked for."""

    def __init__(self, file: str, where: str, data: Any) -> None:
        self.file = file
        self.where = where
        if not isinstance(data, Mapping):
            raise ConfigError(
                file, where, f"is {_kind(data)}, not a table", fix=f"write it as [{where}]"
            )
        self._data: Mapping[str, Any] = data
        self._known: list[str] = []

    def key(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def error(self, name: str, problem: str, *, fix: str = "") -> ConfigError:
        return ConfigError(self.file, self.key(name), problem, fix=fix)

    def __contains__(self, name: str) -> bool:
        self._known.append(name)
        return name in self._data

    def _get(self, name: str) -> Any:
        self._known.append(name)
        return self._data.get(name)

    def _typed(self, name: str, kinds: type | tuple[type, ...], want: str) -> Any:
        value = self._get(name)
        wrong_bool = isinstance(value, bool) and kinds is not bool
        if value is not None and (wrong_bool or not isinstance(value, kinds)):
            raise self.error(name, f"{value!r} is {_kind(value)}", fix=f"it takes {want}")
        return value

    def text(self, name: str, default: str = "", *, one_of: Iterable[str] = ()) -> str:
        value = self._typed(name, str, "a string")
        if value is None:
            return default
        choices = tuple(one_of)
        if choices and value not in choices:
            raise self.error(name, f"{value!r} is not known", fix="one of " + ", ".join(choices))
        return str(value)

    def required_text(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise self.error(name, "is missing", fix=f'add {name} = "…"')
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self._typed(name, bool, "true or false")
        return default if value is None else bool(value)

    def whole(self, name: str, default: int, *, least: int = 1) -> int:
        value = self._typed(name, int, f"a whole number from {least}")
        if value is None:
            return default
        if value < least:
            raise self.error(name, f"{value} is too small", fix=f"at least {least}")
        return int(value)

    def seconds(self, name: str, default: float) -> float:
        value = self._typed(name, (int, float), "seconds, above 0")
        if value is None:
            return default
        if not 0 < value < 1e9:
            raise self.error(name, f"{value} is out of range", fix="seconds, above 0")
        return float(value)

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._typed(name, list, "a list of strings")
        for item in value or ():
            if not isinstance(item, str):
                raise self.error(
                    name, f"{item!r} is {_kind(item)}", fix="it takes a list of strings"
                )
        return tuple(value or ())

    def day(self, name: str) -> date:
        value = self._get(name)
        if isinstance(value, datetime) or not isinstance(value, date):
            raise self.error(
                name, f"{value!r} is not a day", fix=f"write {name} = 2027-01-31, without quotes"
            )
        return value

    def days(self, name: str) -> tuple[date, ...]:
        value = self._typed(name, list, "a list of days, such as [2027-01-31]")
        for item in value or ():
            if isinstance(item, datetime) or not isinstance(item, date):
                raise self.error(
                    name, f"{item!r} is {_kind(item)}", fix="days without quotes: [2027-01-31]"
                )
        return tuple(value or ())

    def moment(self, name: str) -> datetime:
        value = self._get(name)
        if not isinstance(value, datetime) or value.tzinfo is not None:
            raise self.error(
                name,
                f"{value!r} is not a local date and time",
                fix=f"write {name} = 2026-12-24T18:00:00, without quotes and without an offset",
            )
        return value

    def table(self, name: str) -> Table:
        value = self._get(name)
        return Table(self.file, self.key(name), {} if value is None else value)

    def tables(self, name: str) -> list[Table]:
        value = self._typed(name, list, f"tables, written [[{self.key(name)}]]")
        return [
            Table(self.file, f"{self.key(name)}[{index}]", item)
            for index, item in enumerate(value or ())
        ]

    def rest(self) -> list[str]:
        """The keys that nobody has asked for yet; they count as asked for from now on."""
        names = [name for name in self._data if name not in self._known]
        self._known.extend(names)
        return names

    def raw(self, name: str) -> Any:
        return self._get(name)

    def done(self) -> None:
        for name in self._data:
            if name not in self._known:
                import difflib  # 2 ms, of those only who mistyped a key

                near = difflib.get_close_matches(name, self._known, n=1, cutoff=0.5)
                fix = f"did you mean {self.key(near[0])}?" if near else self._choices()
                raise self.error(name, "is not a known key", fix=fix)

    def _choices(self) -> str:
        return "known here: " + ", ".join(sorted(set(self._known)))


def _kind(value: Any) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list"}
    if isinstance(value, Mapping):
        return "a table"
    return names.get(type(value), type(value).__name__)
