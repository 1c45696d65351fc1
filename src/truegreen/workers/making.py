"""From a checkout to an order: what a runner knows and a worker cannot see. Enqueues nothing."""

from __future__ import annotations

from dataclasses import replace

from truegreen.config import Environment
from truegreen.errors import UsageError
from truegreen.heroku.address import HEROKU_API
from truegreen.ship.source import Source, git_answer
from truegreen.workers.order import AN_HOUR, Options, Order
from truegreen.workers.repository import shareable


def make_order(
    options: Options,
    environment: Environment,
    source: Source,
    repository: str | None,
    *,
    asked_by: str,
) -> Order:
    """The order to ship ``source``. ``repository`` None: git's remote ``origin``. A worker waits
    for whoever ships the app without the queue, or died with its lease.

    Raises UsageError when workers could not reach the platform or the repository.
    """
    if repository is None:
        code, repository = git_answer(source.repository, "remote", "get-url", "origin")
        if code:
            raise UsageError(
                "git knows no remote origin, so workers do not know where to fetch the commit",
                hint="--repository URL, or: git remote add origin URL",
            )
    return Order(
        place=place_of(environment, options.platform),
        app=environment.app,
        environment=environment.name,
        repository=shareable(repository),
        prefix=source.prefix,
        commit=source.commit,
        options=replace(options, wait=AN_HOUR),
        asked_by=asked_by,
    )


def place_of(environment: Environment, platform: str | None) -> str:
    """What one ship at a time goes to, as a lease names it, without asking the platform."""
    wanted = platform or environment.platform
    if wanted == "heroku":
        wanted = HEROKU_API
    if not wanted.startswith(("http://", "https://")):
        raise UsageError(
            f"workers reach no platform called {wanted!r}: the embedded one is of one checkout",
            hint=f"env.{environment.name}.platform, or --platform: heroku, or the API's URL",
        )
    return f"{wanted.rstrip('/')}/apps/{environment.app}"
