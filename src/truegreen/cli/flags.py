"""``truegreen flags``: explain, diff, stale. Parses, asks, prints; never changes anything."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from truegreen.cli.options import filled, folder_argument, target_options
from truegreen.cli.withheld import read_config
from truegreen.config import Config
from truegreen.errors import UsageError
from truegreen.flags import Flags
from truegreen.flags.explain import differences
from truegreen.flags.explain import explain as explained

_F = TypeVar("_F", bound=Callable[..., Any])


@click.group()
def command() -> None:
    """The declared flags against an app's config vars. Changes nothing, shows no secret.

    \b
    Example:  truegreen flags explain
              truegreen flags diff raxx-api-staging
              truegreen flags stale
    """


def _asking(function: _F) -> _F:
    function = click.option(
        "--here", is_flag=True, help="This process's environment instead of an app's config vars."
    )(function)
    function = click.option("--app", callback=filled, metavar="NAME", help="App to ask about.")(
        function
    )
    return target_options(folder_argument(function))


@command.command()
@_asking
def explain(**asked: Any) -> int:
    """Say of each flag what holds, where it comes from, and what is wrong.

    \b
    Exits 0 when all parse, none is undeclared and none has expired; 1; 3 without an answer.

    \b
    Example:  truegreen flags explain examples/raptor --env staging
    """
    from truegreen.outputs.flag_documents import explanation_document, explanation_text

    config, app = _config(asked["folder"]), _app(asked)
    found = explained(Flags.from_config(config.flags), _variables(config, asked, app), _today())
    app = _named(config, asked, app)
    _tell(asked, explanation_document(app, found), explanation_text(app, found))
    return 0 if found.holds else 1


@command.command()
@_asking
def stale(**asked: Any) -> int:
    """List the flags whose day has come, and whether the app still sets them.

    \b
    Exits 0 when there are none, 1 when there are, 3 without an answer.

    \b
    Example:  truegreen flags stale examples/raptor --here
    """
    from truegreen.outputs.flag_documents import explanation_document, stale_text

    config, app = _config(asked["folder"]), _app(asked)
    found = explained(Flags.from_config(config.flags), _variables(config, asked, app), _today())
    app = _named(config, asked, app)
    _tell(asked, explanation_document(app, found, stale=True), stale_text(app, found))
    return 1 if found.stale else 0


@command.command()
@click.argument("other", metavar="APP")
@_asking
def diff(other: str, **asked: Any) -> int:
    """Compare the flags of the environment's app (or --app) with those of APP.

    \b
    A flag that is absent in one and set to its default in the other differs: by decision.
    Exits 0 when none differs, 1 when one does, 3 without an answer.

    \b
    Example:  truegreen flags diff raxx-api-staging examples/raptor
    """
    from truegreen.outputs.flag_documents import difference_document, difference_text

    config, app = _config(asked["folder"]), _app(asked)
    one = _variables(config, asked, app)
    second = _variables(config, {**asked, "here": False}, other)
    found = differences(Flags.from_config(config.flags), one, second, _today())
    name = _named(config, asked, app)
    _tell(asked, difference_document(name, other, found), difference_text(name, other, found))
    return 1 if any(row.what for row in found) else 0


def _config(folder: Path) -> Config:
    config = read_config(folder)
    if config.file is None:  # "no flag is wrong" would be true, and of no use
        raise UsageError(
            f"{config.root} has no truegreen.toml, where flags are declared",
            hint="name the service's folder: the argument DIR",
        )
    return config


def _today() -> date:
    return datetime.now(UTC).date()


def _app(asked: Mapping[str, Any]) -> str | None:
    if asked["here"] and (asked["app"] or asked["platform"]):
        raise UsageError("--here asks no app", hint="leave out --app and --platform, or --here")
    app: str | None = asked["app"]
    return app


def _named(config: Config, asked: Mapping[str, Any], app: str | None) -> str:
    if asked["here"]:
        return "this process"
    from truegreen.ship.target import choose_environment

    return app or choose_environment(config, asked["env_name"]).app


def _variables(config: Config, asked: Mapping[str, Any], app: str | None) -> Mapping[str, str]:
    if asked["here"]:
        return os.environ
    try:
        from truegreen.ship.target import choose_environment, find_target
    except ModuleNotFoundError as error:
        raise UsageError(
            f"to ask a platform needs {error.name}, which is not installed",
            hint="install truegreen[ops]; explain and stale can ask --here instead",
        ) from error
    environment = choose_environment(config, asked["env_name"])
    target = find_target(config, environment, asked["platform"], start=False)
    with target.client() as client:
        return client.config_vars(app or environment.app)


def _tell(asked: Mapping[str, Any], document: Mapping[str, Any], text: str) -> None:
    if asked["as_json"]:
        from truegreen.outputs.json_document import print_document

        print_document(document)
    elif not asked["quiet"]:
        click.echo(text)
