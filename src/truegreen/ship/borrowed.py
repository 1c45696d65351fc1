"""Config vars of a real app, made fit to be used elsewhere: flags stay, secrets and addresses go.

What is kept and what is replaced is decided here, purely; nothing that was replaced can be read
back out of a value of this module, and dummies lead nowhere (``.invalid``, RFC 2606).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from truegreen.config import Config
from truegreen.ship.target import choose_environment, find_target

_SECRET_NAME = re.compile(
    r"SECRET|TOKEN|PASSW|PASSPHRASE|(?:^|_)(?:PASS|PWD|KEY|KEYS|DSN|SALT|AUTH|CERT|PEM)(?:_|$)"
    r"|APIKEY|CREDENTIAL|PRIVATE|COOKIE|SIGNING|WEBHOOK",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://|@", re.IGNORECASE)
_LONG = 24  # characters without a blank: nobody's plain setting
SCRATCH_SCHEMES = ("postgres", "postgresql", "sqlite")  # of what a scratch one can be had
_FLAG_TYPES_KEPT = ("bool", "int", "float", "choice", "duration")


@dataclass(frozen=True, slots=True)
class Replaced:
    """A variable whose value is another here: why, and by what. The real value is not kept."""

    name: str
    why: str
    by: str  # a dummy | a scratch database


@dataclass(frozen=True, slots=True)
class Borrowed:
    """``values`` may be shown and used anywhere. ``databases``: those replaced for which a scratch
    database is to be made, with the scheme (SCRATCH_SCHEMES)."""

    app: str
    values: Mapping[str, str]
    kept: tuple[str, ...]
    replaced: tuple[Replaced, ...]
    databases: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        return {
            "app": self.app,
            "kept": list(self.kept),
            "replaced": [{"name": one.name, "why": one.why, "by": one.by} for one in self.replaced],
        }


def borrow(config: Config, app: str, config_vars: Mapping[str, str]) -> Borrowed:
    """What of ``config_vars`` is kept and what is replaced. Pure.

    Kept: declared flags (texts that look like a secret not), whatever begins with the flags'
    prefix, and plain settings. Replaced: what [config] names, and what has an address, a secret's
    name or a secret's length. An empty value stays empty: it means something of its own.
    """
    values: dict[str, str] = {}
    replaced: list[Replaced] = []
    databases: dict[str, str] = {}
    for name, value in sorted(config_vars.items()):
        why = _why_replaced(config, name, value)
        if not why:
            values[name] = value
            continue
        values[name] = _dummy(name, value)
        scheme = _scheme(value)
        if scheme in SCRATCH_SCHEMES and (name == "DATABASE_URL" or scheme == "sqlite"):
            databases[name] = scheme
        by = "a scratch database" if name in databases else "a dummy"
        replaced.append(Replaced(name, why, by))
    kept = tuple(name for name in values if name not in {one.name for one in replaced})
    return Borrowed(
        app, MappingProxyType(values), kept, tuple(replaced), MappingProxyType(databases)
    )


def borrow_from(config: Config, env_name: str | None, platform: str | None, app: str) -> Borrowed:
    """The config vars of ``app`` on the platform of the environment, borrowed.

    Reads only. Raises PlatformUnreachable and PlatformRefused, UsageError without a token.
    """
    target = find_target(config, choose_environment(config, env_name), platform, start=False)
    with target.client() as client:
        return borrow(config, app, client.config_vars(app))


def _why_replaced(config: Config, name: str, value: str) -> str:
    if not value:
        return ""
    flag = config.flags.declared.get(name)
    if flag is not None and flag.secret:
        return "a secret flag"
    if flag is not None and flag.type in _FLAG_TYPES_KEPT:
        return ""
    if name in (*config.config_vars.required, *config.config_vars.optional):
        return "named in [config]"
    if _ADDRESS.search(value):
        return "an address"
    if _SECRET_NAME.search(name):
        return "a secret by its name"
    if len(value) >= _LONG and not any(c.isspace() for c in value):
        return "long enough to be a secret"
    if "PRIVATE KEY" in value:
        return "a key"
    return ""


def _scheme(value: str) -> str:
    try:
        return urlsplit(value).scheme.partition("+")[0].lower()
    except ValueError:
        return ""


def _dummy(name: str, value: str) -> str:
    scheme = _scheme(value)
    if "://" in value and scheme:
        return f"{scheme}://dummy.invalid/{name.lower()}"
    return f"dummy-{name.lower()}"
