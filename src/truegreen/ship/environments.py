"""Which environment is meant. Apart from ``target``, which talks to platforms and takes a while to
import: what asks no platform need not wait for that."""

from __future__ import annotations

from truegreen.config import Config, Environment
from truegreen.errors import UsageError


def choose_environment(config: Config, name: str | None) -> Environment:
    """The environment called ``name``, or the default one. UsageError for an unknown name."""
    wanted = name or config.default_env
    found = config.environments.get(wanted)
    if found is None:
        known = ", ".join(sorted(config.environments))
        raise UsageError(f"there is no environment {wanted!r}", hint=f"known: {known}")
    return found
