"""The origin guard, behind FLAG_ENFORCE_CF_ORIGIN: what did not come through the edge gets 403.

The check is the secret that the edge sets as X-Origin-Secret, compared with ORIGIN_SECRET. The
mere presence of CF-Connecting-IP proves nothing: anybody who knows the origin's host name can send
that header. No path is exempt, /health neither.

What "off by default" means. The flag's default is off, and a default is what holds while the
variable is *absent* from the environment of the process. It is not a promise about places:
development machines and CI happen not to set the variable, production sets it to 1, and the release
command runs the smoke suite with production's config vars. A variable set to 0 is off by decision;
a variable that is not there is off by default, and turns on the day that somebody sets it. The
flags know the difference: ``values.origin("FLAG_ENFORCE_CF_ORIGIN").present``.

Therefore: a client that works in process (``create_app(…).test_client()``) goes through this guard,
does not come through the edge, and must say what it wants of the flag. Pin it off, by
``[smoke.env]`` in truegreen.toml (the smoke suites) or by create_app's config (everything else); or
pin it on and send the secret. Whoever pins nothing gets what the machine says, as fourteen smoke
tests did on 2026-06-21.

On without a secret does not start: a guard that is missing its configuration must not let everybody
in.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from flask import Flask

from truegreen.flags import FlagValues
from truegreen.guard import HEROKU, GuardPolicy, Tally
from truegreen.guard.flask import init_app

SECRETS = ("ORIGIN_SECRET", "ORIGIN_SECRET_PREVIOUS")  # the second only while rotating


def policy(flags: FlagValues, secrets: Mapping[str, str]) -> GuardPolicy:
    """Enforces when the flag is on. ``secrets`` holds SECRETS by name. Raises GuardError.

    Refusals are logged, at most one a second: why, which path, and the address that reached Heroku.
    """
    mode = "enforce" if flags["FLAG_ENFORCE_CF_ORIGIN"] else "off"
    tally = Tally(log=logging.getLogger(__name__))
    return GuardPolicy.from_environ(secrets, mode=mode, profile=HEROKU, tally=tally)


def protect(app: Flask, policy: GuardPolicy) -> None:
    """Puts the guard around everything that ``app`` has. Call it last."""
    init_app(app, policy)
