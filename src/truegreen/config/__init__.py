"""``truegreen.toml`` (or ``[tool.truegreen]`` in pyproject.toml) as frozen values.

Read by both halves, so: standard library only. ``model`` holds the values, ``load`` finds and
parses the file, ``table`` is the strict reader that names file, key, value and fix.
"""

from truegreen.config.load import load_config, parse_config
from truegreen.config.model import (
    CheckSettings,
    Condition,
    Config,
    ConfigVars,
    Environment,
    FlagDeclaration,
    Flags,
    Freeze,
    FreezeWindow,
    Health,
    Incidents,
    Policy,
    Release,
    Scan,
    Smoke,
)

__all__ = [
    "CheckSettings",
    "Condition",
    "Config",
    "ConfigVars",
    "Environment",
    "FlagDeclaration",
    "Flags",
    "Freeze",
    "FreezeWindow",
    "Health",
    "Incidents",
    "Policy",
    "Release",
    "Scan",
    "Smoke",
    "load_config",
    "parse_config",
]
