"""What a configuration says, as frozen values with their defaults. No reading, no parsing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from truegreen.config.notify import Notify
from truegreen.config.observing import Ci, Live, Stability
from truegreen.config.smoke import Smoke

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
    samples: int = 0  # answers in a row that must name the shipped commit; 0: by the dynos
    token: str = ""  # reference (env:…, file:…); empty: the app's config var HEALTH_TOKEN


class Release(NamedTuple):
    """What the release command does, and how long ship waits for it."""

    migrate: str = "none"  # alembic | none
    alembic_ini: str = "alembic.ini"
    timeout: float = 3600.0  # seconds
    boot_timeout: float = 90.0  # seconds until every dyno is up


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


class FreezeScope(NamedTuple):
    """What a window is about. An empty list is about everything; all three must fit."""

    environments: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()  # globs
    labels: tuple[str, ...] = ()  # any of the service's

    def concerns(self, environment: str, app: str, labels: Sequence[str]) -> bool:
        """Whether a window of this scope is about ``app`` in ``environment``."""
        from fnmatch import fnmatchcase

        return (
            (not self.environments or environment in self.environments)
            and (not self.apps or any(fnmatchcase(app, one) for one in self.apps))
            and (not self.labels or not set(self.labels).isdisjoint(labels))
        )


class FreezeWindow(NamedTuple):
    """A span of local wall-clock time in which ``kind`` holds, once or as ``rrule`` repeats it."""

    name: str
    start: datetime  # naive: local wall clock in ``zone``
    end: datetime
    zone: str = "UTC"  # IANA
    reason: str = ""
    kind: str = "deny"  # deny | allow
    rrule: str = ""  # RFC 5545, without DTSTART: that is ``start``
    skip: tuple[date, ...] = ()  # local days on which it does not begin
    scope: FreezeScope = FreezeScope()
    file: str = "truegreen.toml"  # where it is written, for messages
    key: str = "freeze.window[0]"


class FreezeHolidays(NamedTuple):
    """The public holidays of a country, each from midnight to midnight in ``zone``."""

    country: str  # ISO 3166-1 alpha-2
    subdivision: str = ""  # ISO 3166-2 without the country
    zone: str = "UTC"
    reason: str = ""
    kind: str = "deny"
    scope: FreezeScope = FreezeScope()
    file: str = "truegreen.toml"
    key: str = "freeze.holidays[0]"


class FreezeCalendar(NamedTuple):
    """The events of an ICS file as windows. ``zone`` is meant by times that name none."""

    path: Path
    summary: str = "*"  # glob: only events whose SUMMARY fits
    zone: str = "UTC"
    reason: str = ""  # default: the event's DESCRIPTION
    kind: str = "deny"
    scope: FreezeScope = FreezeScope()
    file: str = "truegreen.toml"
    key: str = "freeze.calendar[0]"


class Freeze(NamedTuple):
    """When nothing is shipped. With any ``allow`` window, everything outside of them is denied."""

    windows: tuple[FreezeWindow, ...] = ()
    holidays: tuple[FreezeHolidays, ...] = ()
    calendars: tuple[FreezeCalendar, ...] = ()
    zone: str = "UTC"
    file: Path | None = None  # more windows; None: freeze.toml beside truegreen.toml, if there
    runway: float = 300.0  # seconds, at least, that a release needs before a freeze begins


class Scan(NamedTuple):
    """What the scan looks for, leaves out and knows."""

    exclude: tuple[str, ...] = ()  # globs, relative to the service's root
    suppressions: str = "scan-suppressions.toml"  # the file, relative to the service's root
    ip: str = "off"  # IP addresses: off | public | all
    off: tuple[str, ...] = ()  # kinds that are not reported
    rules: tuple[str, ...] = ()  # files with rules of the service's own, relative to its root


class MigrationAllow(NamedTuple):
    """One hazard of one revision that is known and accepted, until a day."""

    revision: str
    rule: str  # a rule of docs/migrations.md, or * for all of the revision
    reason: str
    owner: str
    expires: date


class Migrations(NamedTuple):
    """What the migrations gate asks, and how the release command migrates."""

    database: str = "postgresql"  # postgresql | sqlite: what the revisions run on
    branch: str = ""  # whose tip the candidate is merged with; empty: origin's default branch
    base: str = "schema"  # schema | serving: what counts when the schema cannot be read
    postgres: str = ""  # reference to a server's URL; empty: an embedded one
    table_sizes: str = ""  # file with a snapshot; empty: no size is known
    refuse: str = "high"  # high | medium | low: the least severity that shuts the gate
    max_stall: float = 1.0  # seconds that a table may be blocked for
    severity: Mapping[str, str] = _NOTHING  # rule → high | medium | low | off
    allow: tuple[MigrationAllow, ...] = ()
    lock_wait: float = 600.0  # seconds for another release command that migrates
    lock_timeout: float = 0.05  # seconds that a statement waits for a table
    lock_patience: float = 120.0  # seconds in which it is tried again
    direct_url: str = "TRUEGREEN_MIGRATION_DATABASE_URL"  # config var that goes past a pooler


class Condition(NamedTuple):
    """What must hold before anything is shipped: an expression in CEL that gives true."""

    name: str
    holds: str
    reason: str = ""
    environments: tuple[str, ...] = ()  # asked only there; empty: everywhere
    key: str = "policy.condition[0]"  # where it is written, for messages


class Policy(NamedTuple):
    """Conditions over the facts of a run. ``report``: they are told, and refuse nothing."""

    mode: str = "enforce"  # enforce | report
    zone: str = "UTC"  # of now.weekday, now.hour, …
    conditions: tuple[Condition, ...] = ()


class Incidents(NamedTuple):
    """Where reviews are kept, and what the gate ``actions`` goes by."""

    path: str = "docs/incidents"  # below the service's root
    draft: bool = True  # a red ship drafts a review by itself
    base: str = "origin/main"  # the revision that proofs are read from; HEAD where it is not there
    owners: tuple[str, ...] = ()  # who may own an action; empty: anybody
    grace_days: int = 14  # days that an action may be overdue before nothing is shipped
    waiver_days: int = 30  # the longest that an action may be waived for
    issues: str = ""  # OWNER/REPOSITORY on GitHub whose issues are kept in step


class CheckSettings(NamedTuple):
    """Which checks may be missing or fail without making the verdict less than green."""

    optional: tuple[str, ...] = ()
    schema_dyno: bool = False  # ask a one-off dyno for the schema when nobody else says


class Config(NamedTuple):
    """A service's whole configuration. ``file`` is None when there is none (all defaults)."""

    root: Path
    file: Path | None
    name: str
    default_env: str
    environments: Mapping[str, Environment]
    labels: tuple[str, ...] = ()  # what freeze windows and policies may ask for
    health: Health = Health()
    release: Release = Release()
    smoke: Smoke = Smoke()
    flags: Flags = Flags()
    config_vars: ConfigVars = ConfigVars()
    freeze: Freeze = Freeze()
    scan: Scan = Scan()
    policy: Policy = Policy()
    checks: CheckSettings = CheckSettings()
    migrations: Migrations = Migrations()
    ci: Ci = Ci()
    live: Live = Live()
    stability: Stability = Stability()
    incidents: Incidents = Incidents()
    notify: Notify = Notify()
