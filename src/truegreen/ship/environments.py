"""Which environment is meant, and what of ours no child may see.

Apart from ``target``, which talks to platforms and takes a while to import: what asks no platform
need not wait for that.
"""

from __future__ import annotations

import shlex

from truegreen.config import Config, Environment
from truegreen.errors import UsageError
from truegreen.secret import withhold
from truegreen.state.location import DATABASE_URL

TOKEN_VARIABLES = ("TRUEGREEN_API_TOKEN", "HEROKU_API_KEY")
GITHUB_TOKEN = "GITHUB_TOKEN"  # noqa: S105 - a variable's name


def choose_environment(config: Config, name: str | None) -> Environment:
    """The environment called ``name``, or the default one. UsageError for an unknown name."""
    wanted = config.default_env if name is None else name
    found = config.environments.get(wanted)
    if found is None:
        known = ", ".join(sorted(config.environments))
        raise UsageError(f"there is no environment {wanted!r}", hint=f"known: {known}")
    return found


def env_option(config: Config, environment: Environment) -> str:
    """What a command line needs to mean ``environment``: ``--env NAME``, or nothing."""
    default = environment.name == config.default_env
    return "" if default else f" --env {shlex.quote(environment.name)}"


def withhold_secrets(config: Config) -> None:
    """Takes out of this process's environment what only this process needs: API tokens, GitHub's
    and Vault's, the database's URL, and every variable that a reference of ``config`` names. What
    is started from now on (git, suites, the embedded platform) does not get them."""
    references = [one.token for one in config.environments.values()]
    references += [config.health.token, config.ci.token]
    references += config.notify.references
    named = [one.removeprefix("env:") for one in references if one.startswith("env:")]
    withhold_tokens()
    withhold(named)


def withhold_tokens() -> None:
    """As ``withhold_secrets``, of the variables that are ours by name: where there is no
    configuration, or none yet."""
    withhold((*TOKEN_VARIABLES, GITHUB_TOKEN, "VAULT_TOKEN", DATABASE_URL))
