"""Finds and parses a service's configuration file. Raises ConfigError, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from truegreen.config.file import find
from truegreen.config.freeze import parse_freeze
from truegreen.config.incidents import parse_incidents
from truegreen.config.migrations import parse_migrations
from truegreen.config.model import (
    FLAG_TYPES,
    CheckSettings,
    Config,
    ConfigVars,
    Environment,
    FlagDeclaration,
    Flags,
    Health,
    Release,
    Scan,
)
from truegreen.config.notify import parse_notify
from truegreen.config.observing import parse_ci, parse_live, parse_stability
from truegreen.config.places import placed
from truegreen.config.policy import parse_policy
from truegreen.config.smoke import check_variable, parse_smoke
from truegreen.config.table import Table
from truegreen.errors import ConfigError

# As secret.py resolves them; that module stands beside this one, and neither imports the other.
REFERENCES = ("env:", "file:", "vault:")
REFERENCE_FORMS = "env:NAME, file:PATH or vault:MOUNT/PATH#FIELD"
_APP_NAME = re.compile(r"[a-z][a-z0-9-]{1,28}[a-z0-9]\Z")
_EMPTY: Mapping[str, bool | int | float | str | tuple[str, ...]] = {
    "bool": False,
    "int": 0,
    "float": 0.0,
    "duration": 0.0,
    "str": "",
    "url": "",
    "list": (),
}


def load_config(root: Path) -> Config:
    """The configuration of the service whose root is ``root``.

    Reads ``truegreen.toml``, else ``[tool.truegreen]`` of ``pyproject.toml``; without either, all
    defaults (``file`` is then None). Raises ConfigError, also for a file that says nothing at all.
    """
    root = root.resolve()
    found = find(root)
    if found.file is None:
        return parse_config({}, file=None, root=root)
    return _placed(found.data, found.file, root, found.prefix)


def parse_config(
    data: Mapping[str, Any], *, file: Path | None, root: Path, prefix: str = ""
) -> Config:
    """A Config out of parsed TOML. ``prefix`` is where the table stands in ``file``."""
    top = Table(str(file) if file else "(no configuration file)", prefix, data)
    service = top.table("service")
    name = service.text("name", _slugify(root.name))
    default_env = service.text("default_env", "production")
    labels = service.texts("labels")
    service.done()
    freeze = parse_freeze(top.table("freeze"), root)
    config = Config(
        root=root,
        file=file,
        name=name,
        default_env=default_env,
        environments=_environments(top.table("env"), default_env, name),
        labels=labels,
        health=_health(top.table("health")),
        release=_release(top.table("release")),
        smoke=parse_smoke(top.table("smoke")),
        flags=_flags(top.table("flags"), root),
        config_vars=_config_vars(top.table("config")),
        freeze=freeze,
        policy=parse_policy(top.table("policy"), freeze.zone),
        scan=_scan(top.table("scan")),
        checks=_checks(top.table("checks")),
        migrations=parse_migrations(top.table("migrations")),
        ci=parse_ci(top.table("ci")),
        live=parse_live(top.table("live")),
        stability=parse_stability(top.table("stability")),
        incidents=parse_incidents(top.table("incidents")),
        notify=parse_notify(top.table("notify")),
    )
    top.done()
    return config


def _placed(data: Mapping[str, Any], file: Path, root: Path, prefix: str = "") -> Config:
    """``parse_config``, with the line of what is wrong."""
    try:
        return parse_config(data, file=file, root=root, prefix=prefix)
    except ConfigError as error:
        raise placed(error, file.read_text(encoding="utf-8")) from error


def _slugify(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:30].strip("-")
    return slug if _APP_NAME.match(slug) else f"app-{slug}".strip("-")


def _environments(table: Table, default_env: str, name: str) -> Mapping[str, Environment]:
    found: dict[str, Environment] = {}
    for env_name in table.rest():
        one = table.table(env_name)
        app = one.text("app", name)
        if not _APP_NAME.match(app):
            raise one.error(
                "app",
                f"{app!r} is not an app name",
                fix="3 to 30 of a-z, 0-9 and -, beginning with a letter",
            )
        platform = one.text("platform", "embedded")
        if platform not in ("embedded", "heroku") and not platform.startswith(
            ("http://", "https://")
        ):
            raise one.error(
                "platform", f"{platform!r} is not known", fix="embedded, heroku or the API's URL"
            )
        found[env_name] = Environment(
            name=env_name,
            app=app,
            platform=platform,
            edge=one.text("edge"),
            origin=one.text("origin"),
            token=one.text("token"),
        )
        if (token := found[env_name].token) and not token.startswith(REFERENCES):
            raise one.error("token", "is not a reference", fix="write " + REFERENCE_FORMS)
        one.done()
    if not found:
        found[default_env] = Environment(name=default_env, app=name)
    if default_env not in found:
        raise ConfigError(
            table.file,
            "service.default_env",
            f"{default_env!r} is not among the environments",
            fix="one of " + ", ".join(sorted(found)) + f", or add [env.{default_env}]",
        )
    return MappingProxyType(found)


def _health(table: Table) -> Health:
    health = Health(
        path=table.text("path", "/health"),
        samples=table.whole("samples", 0),
        token=table.text("token"),
    )
    if not health.path.startswith("/"):
        raise table.error("path", f"{health.path!r} is not a path", fix="begin it with /")
    if health.token and not health.token.startswith(REFERENCES):
        raise table.error("token", "is not a reference", fix="write " + REFERENCE_FORMS)
    table.done()
    return health


def _release(table: Table) -> Release:
    base = Release()
    release = Release(
        migrate=table.text("migrate", base.migrate, one_of=("alembic", "none")),
        alembic_ini=table.text("alembic_ini", base.alembic_ini),
        timeout=table.seconds("timeout", base.timeout),
        boot_timeout=table.seconds("boot_timeout", base.boot_timeout),
    )
    table.done()
    return release


def _flags(table: Table, root: Path) -> Flags:
    prefix = table.text("prefix", "FLAG_")
    file = table.text("file")
    declared: dict[str, FlagDeclaration] = {}
    for name in table.rest():
        check_variable(table, name)
        one = table.table(name)
        # enum: what OpenFeature's and Django's users call a choice
        kind = one.text("type", "bool", one_of=(*FLAG_TYPES, "enum")).replace("enum", "choice")
        declared[name] = FlagDeclaration(
            name=name,
            type=kind,
            choices=one.texts("choices"),
            default=_flag_default(one, kind),
            description=one.text("description"),
            fail=one.text("fail", "closed", one_of=("closed", "open")),
            owner=one.text("owner"),
            expires=one.day("expires") if "expires" in one else None,
            secret=one.flag("secret", False),
        )
        one.done()
    return Flags(
        prefix=prefix,
        declared=MappingProxyType(declared),
        file=(root / file) if file else None,
    )


def _flag_default(table: Table, kind: str) -> bool | int | float | str | tuple[str, ...]:
    """The default as TOML types it; whether a text is a URL is the flags' own question."""
    choices = table.texts("choices")
    if kind == "choice" and not choices:
        raise table.error("choices", "is missing", fix='add choices = ["…", "…"]')
    if choices and kind not in ("choice", "list"):
        raise table.error("choices", f"means nothing for a flag of type {kind}")
    value = table.raw("default")
    if value is None:
        if kind == "choice":
            raise table.error("default", "is missing", fix="add one of its choices")
        return _EMPTY[kind]
    wanted: tuple[type, ...] = {
        "bool": (bool,),
        "int": (int,),
        "float": (int, float),
        "duration": (int, float),
    }.get(kind, (str,))
    if kind == "list":
        items = table.texts("default")
        strange = [item for item in items if choices and item not in choices]
        if strange:
            raise table.error("default", f"{strange[0]!r} is not among its choices")
        return items
    if type(value) not in wanted:
        fix = "seconds, as a number" if kind == "duration" else ""
        raise table.error("default", f"{value!r} does not fit a flag of type {kind}", fix=fix)
    if kind in ("float", "duration") and not abs(value) < 1e300:
        raise table.error("default", "is out of range")
    if kind == "duration" and value < 0:
        raise table.error("default", f"{value!r} is out of range", fix="seconds, from 0")
    if kind == "choice" and value not in choices:
        raise table.error("default", f"{value!r} is not among its choices")
    result: bool | int | float | str = value
    return result


def _config_vars(table: Table) -> ConfigVars:
    result = ConfigVars(required=table.texts("required"), optional=table.texts("optional"))
    table.done()
    return result


def _scan(table: Table) -> Scan:
    base = Scan()
    result = Scan(
        exclude=table.texts("exclude"),
        suppressions=table.text("suppressions", base.suppressions),
        ip=table.text("ip", base.ip, one_of=("off", "public", "all")),
        off=table.texts("off"),
        rules=table.texts("rules"),
    )
    table.done()
    return result


def _checks(table: Table) -> CheckSettings:
    result = CheckSettings(
        optional=table.texts("optional"), schema_dyno=table.flag("schema_dyno", False)
    )
    table.done()
    return result
