"""Rows of the platform's database as the records that they are. `store` asks for them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from functools import cached_property

from truegreen.embedded.records import App, Build, BuildStatus, Release, ReleaseStatus, Slug


class Config(Mapping[str, str]):
    """Config vars as they were stored, read only when they are asked for: a list of releases is
    long, and tells nothing of them. Its repr holds no value."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _values(self) -> dict[str, str]:
        values: dict[str, str] = json.loads(self._text)
        return values

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Config({len(self)} config vars)"


def app(row: sqlite3.Row) -> App:
    values = dict(row)
    values["config"] = Config(values["config"])
    values["dyno_metadata"] = bool(values["dyno_metadata"])
    return App(**values)


def build(row: sqlite3.Row) -> Build:
    values = dict(row)
    return Build(**{**values, "status": BuildStatus(values["status"])})


def release(row: sqlite3.Row) -> Release:
    values = dict(row)
    values["config"] = Config(values["config"])
    values["run_command"] = bool(values["run_command"])
    return Release(**{**values, "status": ReleaseStatus(values["status"])})


def slug(row: sqlite3.Row) -> Slug:
    values = dict(row)
    return Slug(**{**values, "process_types": json.loads(values["process_types"]),
                   "pruned": bool(values["pruned"])})  # fmt: skip
