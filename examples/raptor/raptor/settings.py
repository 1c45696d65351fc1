"""What an app is made of: create_app's config over the machine's environment, read once, checked.

The only place of Raptor that reads environment variables, but for `migrations/env.py`, which has no
app. Nothing is connected or built here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from raptor import origin_guard
from truegreen.errors import UsageError
from truegreen.flags import Flags, FlagValues
from truegreen.guard import GuardPolicy
from truegreen.secret import Secret

ROOT = Path(__file__).resolve().parent.parent


class SettingsError(UsageError):
    """The app cannot be made: names the variable and the fix."""


@dataclass(frozen=True)
class Settings:
    """One app's settings. ``database``: as `raptor.db.normalise` takes it; never log it."""

    database: str
    flags: FlagValues
    guard: GuardPolicy
    nda_texts: Path
    health_token: Secret | None  # None: the environment's HEALTH_TOKEN, if it has one

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Settings:
        """Settings for ``config``, the environment filling in what it leaves out.

        Raises SettingsError, FlagError or GuardError.
        """
        flags = _declared_flags()
        given = {name: value for name, value in config.items() if name.startswith(flags.prefix)}
        values = flags.read(os.environ, config=given)  # what is not given, the machine decides
        secrets = {name: config[name] for name in origin_guard.SECRETS if name in config}
        return cls(
            database=str(config.get("DATABASE") or _required("DATABASE_URL")),
            flags=values,
            guard=origin_guard.policy(values, secrets or os.environ),
            nda_texts=Path(config.get("NDA_TEXTS") or ROOT / "raptor" / "beta" / "nda_texts"),
            health_token=Secret(config["HEALTH_TOKEN"]) if "HEALTH_TOKEN" in config else None,
        )

    def __repr__(self) -> str:
        return f"Settings(database=[redacted], flags={self.flags!r}, guard={self.guard!r})"


def _required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise SettingsError(f"{name} is not set", hint=f"export {name}=…, see README.md")
    return value


@cache
def _declared_flags() -> Flags:
    """The [flags] of truegreen.toml. It comes with the code, so once a process is enough."""
    return Flags.load(ROOT)
