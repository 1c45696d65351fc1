"""``[smoke]``: its values and their parsing. Apart from the rest of the configuration, because
every sealed test session reads it and nothing else of it.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from truegreen.config.file import TABLES, find
from truegreen.config.table import Table
from truegreen.errors import ConfigError

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Smoke(NamedTuple):
    """The in-process smoke suite and its seal."""

    paths: tuple[str, ...] = ()
    seal: bool = True
    env: Mapping[str, str] = _NOTHING  # pins
    pass_env: tuple[str, ...] = ()  # let through
    allow_hosts: tuple[str, ...] = ()  # connections besides loopback: names, addresses, *.suffix
    scratch: str = "sqlite"  # sqlite | postgres | none: what DATABASE_URL leads to
    cwd: str = "root"  # root | temporary: the tests' current folder
    rehearse: str = "auto"  # off | auto (the gate does where it can) | required
    database: str = "head"  # head | empty: the scratch database that the release phase makes
    leaks: str = "fail"  # fail | warn | record
    timeout: float = 600.0  # seconds


def load_smoke(root: Path) -> tuple[Smoke, Mapping[str, Any]]:
    """``[smoke]`` of the service whose root is ``root``, and its ``[flags]`` as TOML has them.

    Raises ConfigError as ``load_config`` does, but for what stands in tables that are not read.
    """
    root = root.resolve()
    found = find(root)
    flags = found.data.get("flags", {})
    prefix = f"{found.prefix}.smoke" if found.prefix else "smoke"
    try:
        if TABLES.issuperset(found.data):
            smoke = parse_smoke(Table(str(found.file), prefix, found.data.get("smoke", {})))
            return smoke, flags if isinstance(flags, Mapping) else {}
    except ConfigError:
        pass  # the whole reading says it, with the line
    from truegreen.config.load import load_config

    return load_config(root).smoke, flags


def parse_smoke(table: Table) -> Smoke:
    """``[smoke]``. Raises ConfigError."""
    base = Smoke()
    env_table = table.table("env")
    env: dict[str, str] = {}
    for variable in env_table.rest():
        check_variable(env_table, variable)
        env[variable] = env_table.text(variable)
    smoke = Smoke(
        paths=table.texts("paths"),
        seal=table.flag("seal", base.seal),
        env=MappingProxyType(env),
        pass_env=table.texts("pass_env"),
        allow_hosts=table.texts("allow_hosts"),
        scratch=table.text("scratch", base.scratch, one_of=("sqlite", "postgres", "none")),
        cwd=table.text("cwd", base.cwd, one_of=("root", "temporary")),
        rehearse=table.text("rehearse", base.rehearse, one_of=("off", "auto", "required")),
        database=table.text("database", base.database, one_of=("head", "empty")),
        leaks=table.text("leaks", base.leaks, one_of=("fail", "warn", "record")),
        timeout=table.seconds("timeout", base.timeout),
    )
    table.done()
    return smoke


def check_variable(table: Table, name: str) -> None:
    """Raises ConfigError when ``name`` cannot be an environment variable's."""
    if not (name.isascii() and name.isidentifier()):
        raise table.error(name, "is not a variable's name", fix="letters, digits and _")
