"""From a configuration to a question, and from a question to its answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from truegreen.config import Config, Environment
from truegreen.errors import ConfigError, Unverified
from truegreen.model import BY_NAME, Evidence, required_checks
from truegreen.secret import resolve
from truegreen.ship.means import REAL, Means
from truegreen.ship.target import find_target
from truegreen.verify.question import Question
from truegreen.verify.run import Verification, verify
from truegreen.verify.world import Platform, World

PATIENCE = 15.0  # seconds in which one question to the platform is asked again


def question_for(
    config: Config,
    environment: Environment,
    *,
    commit: str | None,
    version: int | None = None,
    app: str | None = None,
    settle: float = 0.0,
    report_text: str | None = None,
) -> Question:
    """The question that ``config`` asks of a release. ConfigError for an unknown check's name,
    UsageError for a health token's reference that leads nowhere.

    A service without migrations is not asked where its schema is.
    """
    optional = list(config.checks.optional)
    for name in optional:
        if name not in BY_NAME:
            raise ConfigError(
                str(config.file),
                "checks.optional",
                f"{name!r} is no check",
                fix="known: " + ", ".join(BY_NAME),
            )
    if config.release.migrate == "none":
        optional.append("schema.head")
    return Question(
        app=app or environment.app,
        commit=commit,
        version=version,
        edge=environment.edge,
        origin=environment.origin,
        health=config.health,
        health_token=resolve(token, what="health.token")
        if (token := config.health.token)
        else None,
        flags=config.flags,
        required_vars=config.config_vars.required,
        required=required_checks(optional),
        settle=settle,
        report_text=report_text,
    )


def ask(
    question: Question,
    platform: Platform,
    *,
    on_evidence: Callable[[Evidence], None] | None = None,
    means: Means = REAL,
) -> Verification:
    """All checks about ``question``, through ``platform`` and the app's own doors."""
    with means.probe() as get:
        world = World(question, platform, get, sleep=means.sleep, clock=means.clock)
        return verify(world, on_evidence=on_evidence, now=means.now)


class Away:
    """A platform that cannot be asked: every question raises why."""

    def __init__(self, error: Unverified) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(*_: object, **__: object) -> Any:
            raise self._error

        return refuse


def ask_target(
    question: Question, config: Config, environment: Environment, platform: str | None
) -> Verification:
    """Asks the platform that the environment names; away, every check is unknown and says why."""
    try:
        target = find_target(config, environment, platform, start=False)
    except Unverified as error:
        return ask(question, cast("Platform", Away(error)))
    with target.client(patience=PATIENCE) as client:
        return ask(question, client)
