"""The origin guard, behind FLAG_ENFORCE_CF_ORIGIN: what did not come through the edge gets 403.

The flag is off by default, so the guard never breaks local development, the smoke tests in CI or a
fresh deploy.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from truegreen.flags import FlagValues
from truegreen.guard import GuardPolicy
from truegreen.guard.flask import init_app

SECRETS = ("ORIGIN_SECRET", "ORIGIN_SECRET_PREVIOUS")  # the second only while rotating


def policy(flags: FlagValues, secrets: Mapping[str, str]) -> GuardPolicy:
    """Enforces when the flag is on. ``secrets`` holds SECRETS by name. Raises GuardError."""
    mode = "enforce" if flags["FLAG_ENFORCE_CF_ORIGIN"] else "off"
    return GuardPolicy.from_environ(secrets, mode=mode)


def protect(app: Flask, policy: GuardPolicy) -> None:
    """Puts the guard around everything that ``app`` has. Call it last."""
    init_app(app, policy)
