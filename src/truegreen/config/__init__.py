"""``truegreen.toml`` (or ``[tool.truegreen]`` in pyproject.toml) as frozen values.

Read by both halves, so: standard library only. ``model`` holds the values, ``load`` finds and
parses the file, ``table`` is the strict reader that names file, key, value and fix.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    )
    from truegreen.config.smoke import Smoke

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


def __getattr__(name: str) -> object:
    """Imports what is asked for when it is asked for: a sealed test session needs ``[smoke]``."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = "load" if name in ("load_config", "parse_config") else "model"
    found: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = found
    return found
