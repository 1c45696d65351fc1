"""What a configuration says, as frozen values with their defaults. No reading, no parsing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

FLAG_TYPES = ("bool", "int", "float", "str", "choice", "duration", "url", "list")


# NamedTuples, because a dataclass costs a millisecond of every start of a sealed session to make.
_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_FLAGS: Mapping[str, Any] = MappingProxyType({})


class Environment(NamedTuple):
    """One place that the service is shipped to, e.g. ``production``."""

    name: str
    app: str
    platform: str = "embedded"  # embedded | heroku | the API's URL
    edge: str = ""  # public address through the edge; empty: the platform's own
    origin: str = ""  # address past the edge; empty: the app's web_url
    token: str = ""  # reference (env:…, file:…); empty: the platform's usual place


class Health(NamedTuple):
    """Where the service says how it is."""

    path: str = "/health"
    samples: int = 5  # answers in a row that must name the shipped commit
    token: str = ""  # reference (env:…, file:…); empty: the app's config var HEALTH_TOKEN


class Release(NamedTuple):
    """What the release command does, and how long ship waits for it."""

    migrate: str = "none"  # alembic | none
    alembic_ini: str = "alembic.ini"
    timeout: float = 3600.0  # seconds
    boot_timeout: float = 90.0  # seconds until every dyno is up


class Smoke(NamedTuple):
    """The in-process smoke suite and its seal."""

    paths: tuple[str, ...] = ()
    seal: bool = True
    env: Mapping[str, str] = _NOTHING  # pins
    pass_env: tuple[str, ...] = ()  # let through
    allow_hosts: tuple[str, ...] = ()  # connections besides loopback: names, addresses, *.suffix
    database: str = "head"  # head | empty: the scratch database that the release phase makes
    leaks: str = "fail"  # fail | warn | record
    timeout: float = 600.0  # seconds


class FlagDeclaration(NamedTuple):
    """One flag: an environment variable with a type and a default for when it is absent."""

    name: str
    type: str = "bool"  # one of FLAG_TYPES
    default: bool | int | float | str | tuple[str, ...] = False  # duration: seconds
    choices: tuple[str, ...] = ()  # of a choice; of a list's items, if any
    description: str = ""
    fail: str = "closed"  # closed: an unparseable value stops the start | open: the default holds
    owner: str = ""
    expires: date | None = None  # the day from which the flag should be gone
    secret: bool = False  # its value is never shown


class Flags(NamedTuple):
    """All declared flags. A variable with ``prefix`` that is not declared is an error."""

    prefix: str = "FLAG_"
    declared: Mapping[str, FlagDeclaration] = _NO_FLAGS
    file: Path | None = None  # TOML of NAME = value, asked after the environment


class ConfigVars(NamedTuple):
    """Config vars that the service needs, other than flags."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


class FreezeWindow(NamedTuple):
    """A span of local wall-clock time in which ``kind`` holds."""

    name: str
    start: datetime  # naive: local wall clock in ``zone``
    end: datetime
    zone: str = "UTC"  # IANA
    reason: str = ""
    kind: str = "deny"  # deny | allow


class Freeze(NamedTuple):
    """When nothing is shipped. With any ``allow`` window, everything outside of them is denied."""

    windows: tuple[FreezeWindow, ...] = ()


class ScanAllow(NamedTuple):
    """A finding that is known and accepted, by fingerprint, until a day."""

    fingerprint: str
    reason: str
    owner: str
    expires: date


class Scan(NamedTuple):
    """What the personal-data scan leaves out."""

    exclude: tuple[str, ...] = ()  # globs, relative to the service's root
    allow: tuple[ScanAllow, ...] = ()


class CheckSettings(NamedTuple):
    """Which checks may be missing or fail without making the verdict less than green."""

    optional: tuple[str, ...] = ()


class Config(NamedTuple):
    """A service's whole configuration. ``file`` is None when there is none (all defaults)."""

    root: Path
    file: Path | None
    name: str
    default_env: str
    environments: Mapping[str, Environment]
    health: Health = Health()
    release: Release = Release()
    smoke: Smoke = Smoke()
    flags: Flags = Flags()
    config_vars: ConfigVars = ConfigVars()
    freeze: Freeze = Freeze()
    scan: Scan = Scan()
    checks: CheckSettings = CheckSettings()
