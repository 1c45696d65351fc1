"""Preflight: what can be known to be wrong before the database is touched. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from truegreen.config import Config
from truegreen.flags import Flags


def problems(config: Config, environ: Mapping[str, str]) -> tuple[str, ...]:
    """One sentence a problem: flags that do not parse or are undeclared, required vars missing.

    No value of a config var other than a flag's is shown.
    """
    flags = [str(one) for one in Flags.from_config(config.flags).problems(environ)]
    missing = [
        f"{name}: is {'empty' if name in environ else 'not set'} "
        f"(set this config var; it is in [config] required)"
        for name in config.config_vars.required
        if not environ.get(name)
    ]
    return (*flags, *missing)
