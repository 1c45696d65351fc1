"""A typed client of the Platform API v3, for Heroku and the embedded platform.

    from truegreen.heroku import HerokuClient, wait_for_release

Importing this package does not import httpx (64 ms); using a name that needs it does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from truegreen.heroku import address, localhost, models
    from truegreen.heroku.address import HEROKU_API, ApiAddress, parse_api_url
    from truegreen.heroku.client import HerokuClient
    from truegreen.heroku.fields import UnexpectedAnswer
    from truegreen.heroku.models import (
        Account,
        Addon,
        App,
        Build,
        ConfigVars,
        Dyno,
        FormationEntry,
        Release,
        Slug,
        Source,
    )
    from truegreen.heroku.wait import wait_for_build, wait_for_release

# public name -> the module that it comes from; a module stands for itself
_HOMES = {
    "HEROKU_API": "address",
    "Account": "models",
    "Addon": "models",
    "ApiAddress": "address",
    "App": "models",
    "Build": "models",
    "ConfigVars": "models",
    "Dyno": "models",
    "FormationEntry": "models",
    "HerokuClient": "client",
    "Release": "models",
    "Slug": "models",
    "Source": "models",
    "UnexpectedAnswer": "fields",
    "address": "",
    "localhost": "",
    "models": "",
    "parse_api_url": "address",
    "wait_for_build": "wait",
    "wait_for_release": "wait",
}

__all__ = [
    "HEROKU_API",
    "Account",
    "Addon",
    "ApiAddress",
    "App",
    "Build",
    "ConfigVars",
    "Dyno",
    "FormationEntry",
    "HerokuClient",
    "Release",
    "Slug",
    "Source",
    "UnexpectedAnswer",
    "address",
    "localhost",
    "models",
    "parse_api_url",
    "wait_for_build",
    "wait_for_release",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if not home:
        return importlib.import_module(f"{__name__}.{name}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
