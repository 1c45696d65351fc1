"""What the embedded platform remembers, as frozen values: apps, slugs, builds, releases, add-ons.

Values only: `store` reads and writes them, `api/` turns them into Heroku's JSON. Times are UTC text
in Heroku's form (``2026-06-21T19:29:00Z``), ids are UUID text.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple


def now() -> str:
    """This moment, UTC, whole seconds, in Heroku's form."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_id() -> str:
    return str(uuid.uuid4())


class BuildStatus(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class ReleaseStatus(StrEnum):
    """Heroku's four. ``expired`` is for what never got a verdict; what was ended is ``failed``."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True)
class App:
    """``config`` is what the app's owner set last; what runs is the current release's snapshot."""

    id: str
    name: str
    config: Mapping[str, str]
    current_release_id: str | None
    dyno_metadata: bool
    created_at: str
    updated_at: str

    def __repr__(self) -> str:
        return f"App({self.name}, {self.id}, {len(self.config)} config vars)"


@dataclass(frozen=True)
class Slug:
    """Built source. ``venv``: a folder under ``venvs/``; ``commit``: the source version;
    ``pruned``: its files are gone, see `slug_cache`."""

    id: str
    app_id: str
    commit: str | None
    process_types: Mapping[str, str]
    venv: str
    size: int
    checksum: str
    created_at: str
    pruned: bool = False


@dataclass(frozen=True)
class Build:
    """``stream`` is the unguessable name of its output stream; ``reason`` says why it failed."""

    id: str
    app_id: str
    status: BuildStatus
    source_version: str | None
    stream: str
    slug_id: str | None
    release_id: str | None
    reason: str
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class Release:
    """``config`` is the snapshot its processes run with. ``run_command`` is false for add-ons'
    config changes, which skip the release command. ``stream`` is None when nothing runs."""

    id: str
    app_id: str
    version: int
    status: ReleaseStatus
    description: str
    slug_id: str | None
    config: Mapping[str, str]
    run_command: bool
    stream: str | None
    created_at: str
    updated_at: str

    @property
    def summary(self) -> ReleaseSummary:
        return ReleaseSummary(
            self.id, self.version, self.status, self.description, self.slug_id, self.stream,
            self.created_at, self.updated_at,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"Release(v{self.version}, {self.status}, {self.description!r}, slug={self.slug_id})"


class ReleaseSummary(NamedTuple):
    """What a list tells of a `Release`, quick to make and to compare. ``status``: a `ReleaseStatus`
    or its text."""

    id: str
    version: int
    status: str
    description: str
    slug_id: str | None
    stream: str | None
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class Addon:
    """A database of one app. ``config_var`` holds its URL, ``database`` its name."""

    id: str
    app_id: str
    name: str
    plan: str
    database: str
    config_var: str
    created_at: str


@dataclass(frozen=True)
class FormationEntry:
    """How many dynos of a process type there should be. ``id`` is stable for app and type."""

    app_id: str
    type: str
    quantity: int
    size: str
