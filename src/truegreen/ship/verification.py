"""From a configuration to a question, and from a question to its answers."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from truegreen.config import Config, Environment
from truegreen.config.observing import Ci
from truegreen.errors import ConfigError, Unverified, UsageError
from truegreen.model import BY_NAME, CHECKS, Evidence, Status, Verdict, required_checks
from truegreen.secret import Secret, lent, resolve, variable
from truegreen.ship.environments import GITHUB_TOKEN
from truegreen.ship.means import REAL, Means
from truegreen.ship.target import find_target
from truegreen.verify.choose import current_release
from truegreen.verify.observers import asked
from truegreen.verify.question import Question
from truegreen.verify.run import Verification, verify
from truegreen.verify.world import Platform, World

if TYPE_CHECKING:
    from datetime import datetime

    from truegreen.github import Actions
    from truegreen.verify.live import LiveRun

LOOKS = 3  # … more, at a world that changes while it is looked at
PATIENCE = 15.0  # seconds in which one question to the platform is asked again


def question_for(
    config: Config,
    environment: Environment,
    *,
    commit: str | None,
    version: int | None = None,
    after: int | None = None,
    app: str | None = None,
    settle: float = 0.0,
    report_text: str | None = None,
) -> Question:
    """The question that ``config`` asks of a release. ConfigError for an unknown check's name,
    UsageError for a health token's reference that leads nowhere, and for an empty name.

    ``app`` other than the environment's: its doors are those that the platform names, and its
    health token is the one that its config vars have. A service without migrations is not asked
    where its schema is.
    """
    if commit == "" or app == "":  # of a variable that was not set: not "whatever serves"
        raise UsageError(f"an empty {'app' if app == '' else 'commit'} names none")
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
    if config.file is None:
        optional += _NEEDS_MORE
    run = os.environ.get("GITHUB_RUN_ID", "")
    own = app in (None, environment.app)
    question = Question(
        app=app or environment.app,
        commit=commit,
        version=version,
        after=after,
        edge=environment.edge if own else "",
        origin=environment.origin if own else "",
        health=config.health,
        health_token=resolve(token, what="health.token")
        if (token := config.health.token) and own
        else None,
        flags=config.flags,
        required_vars=config.config_vars.required,
        settle=settle,
        report_text=report_text,
        ci=config.ci,
        own_run=int(run) if run.isdigit() else None,
        live=config.live,
        root=config.root,
        stability=config.stability,
        configured=config.file is not None,
        schema_dyno=config.release.alembic_ini
        if config.checks.schema_dyno and config.release.migrate == "alembic"
        else "",
    )
    also = [check.name for check in CHECKS if not check.asked and asked(check.name, question)]
    return question._replace(required=required_checks(optional, also))


# What only an app that has truegreen in it, or a configuration, can answer: shown, and not
# required, where no configuration says that it is there.
_NEEDS_MORE = (
    "release.report",
    "code.served",
    "health.origin_blocked",
    "schema.head",
    "flags.config",
)


def ask(
    question: Question,
    platform: Platform,
    *,
    on_evidence: Callable[[Evidence], None] | None = None,
    means: Means = REAL,
) -> Verification:
    """All checks about ``question``, through ``platform`` and the app's own doors; asked again
    when the app's current release changed meanwhile."""
    for _ in range(1 + LOOKS):
        verification = _ask_once(question, platform, on_evidence, means)
        if verification.verdict is not Verdict.GREEN or _still_current(verification, platform):
            return verification
        question = question._replace(settle=0.0)
    return _restless(verification, means.now())


def _restless(verification: Verification, now: datetime) -> Verification:
    """``verification`` of an app that was another after every look, or of a platform that did not
    say: whatever the looks saw, it is not known what is current."""
    told = f"after none of {1 + LOOKS} looks was it the same as before"
    doubt = Evidence(
        "release.current", Status.UNKNOWN, told, "the same before and after", "releases", now
    )
    situation = verification.situation
    required = tuple(dict.fromkeys((*situation.required, doubt.check)))
    return verification._replace(
        situation=situation._replace(evidence=(*situation.evidence, doubt), required=required)
    )


def _ask_once(
    question: Question,
    platform: Platform,
    on_evidence: Callable[[Evidence], None] | None,
    means: Means,
) -> Verification:
    with ExitStack() as stack:
        get = stack.enter_context(means.probe())
        world = World(
            question,
            platform,
            get,
            actions=lambda: stack.enter_context(_actions(question.ci)),
            live=lambda url, commit: _live(question, url, commit),
            sleep=means.sleep,
            clock=means.clock,
        )
        return verify(world, on_evidence=on_evidence, now=means.now)


def _still_current(verification: Verification, platform: Platform) -> bool:
    """Whether the release that was current at the beginning still is.

    Evidence is gathered over a while: a release that somebody made in the middle could be vouched
    for by facts about the one before it.
    """
    before = verification.situation.serving
    try:
        current = current_release(platform.releases(verification.situation.app))
    except Unverified:
        return False  # asked again, with all the rest
    return current is not None and before is not None and current.version == before.version


def _actions(ci: Ci) -> Actions:
    from truegreen.github import Actions  # only who names a repository needs it

    token = resolve(ci.token, what="ci.token") if ci.token else None
    if token is None and (usual := variable(GITHUB_TOKEN)):
        token = Secret(usual)
    return Actions(ci.repository, token, api=ci.api)


def _live(question: Question, url: str, commit: str) -> LiveRun:
    from truegreen.verify.live import run_live

    return run_live(
        question.live.command,
        question.root or Path(),
        timeout=question.live.timeout,
        environ=lent(GITHUB_TOKEN),
        pass_env=question.live.pass_env,
        told={"TRUEGREEN_APP_URL": url, "TRUEGREEN_COMMIT": commit},
    )


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
