"""Where a run goes: which platform, with which token, through which doors.

``embedded``: the platform of this checkout. ``heroku``: Heroku. A URL: another Platform API.
"""

from __future__ import annotations

from typing import NamedTuple

from truegreen.config import Config, Environment
from truegreen.errors import PlatformUnreachable, UsageError
from truegreen.heroku import HerokuClient
from truegreen.heroku.address import HEROKU_API
from truegreen.secret import Secret, resolve, variable
from truegreen.ship.environments import TOKEN_VARIABLES, choose_environment, withhold_secrets
from truegreen.ship.means import REAL, Means

__all__ = ["TOKEN_VARIABLES", "Target", "choose_environment", "find_target", "withhold_secrets"]


class Target(NamedTuple):
    """A platform's API with a token, and the environment's own addresses."""

    kind: str  # embedded | heroku | url
    api: str
    token: Secret
    environment: Environment
    means: Means = REAL

    @property
    def app(self) -> str:
        return self.environment.app

    def client(self, *, patience: float = 60.0) -> HerokuClient:
        """A client that asks one question again for up to ``patience`` seconds."""
        return HerokuClient(
            self.api,
            self.token,
            deadline=patience,
            transport=self.means.transport,
            sleep=self.means.sleep,
            clock=self.means.clock,
        )


def find_target(
    config: Config, environment: Environment, platform: str | None, *, start: bool
) -> Target:
    """The target of a run.

    ``platform`` overrides the environment's own. With ``start``, an embedded platform that is not
    running is started; without, PlatformUnreachable says that it is not. UsageError without token.
    """
    wanted = platform or environment.platform
    if wanted == "embedded":
        from truegreen.embedded.locate import data_dir, ensure_running, find_running

        data = data_dir(config.root)
        info = ensure_running(data) if start else find_running(data)
        if info is None:
            raise PlatformUnreachable(
                "the embedded platform is not running",
                hint="truegreen platform serve --background starts it; is another one meant:"
                " --platform heroku",
            )
        return Target("embedded", info.api, info.token(), environment)
    if wanted == "heroku":
        return Target("heroku", HEROKU_API, _token(environment), environment)
    if not wanted.startswith(("http://", "https://")):
        raise UsageError(
            f"the platform {wanted!r} is not known", hint="embedded, heroku or the API's URL"
        )
    return Target("url", wanted, _token(environment), environment)


def _token(environment: Environment) -> Secret:
    if environment.token:
        return resolve(environment.token, what=f"env.{environment.name}.token")
    for name in TOKEN_VARIABLES:
        value = variable(name)
        if value:
            return Secret(value)
    raise UsageError(
        "there is no API token", hint=f"export {TOKEN_VARIABLES[0]}=… (or {TOKEN_VARIABLES[1]})"
    )
