"""``truegreen verify``: parses, asks, prints. It never changes anything."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from truegreen.cli.options import filled, folder_argument, release_version, target_options
from truegreen.cli.telling import output_option, tell
from truegreen.cli.withheld import read_config
from truegreen.errors import TrueGreenError, UsageError

if TYPE_CHECKING:
    from truegreen.ledger import Ledger
    from truegreen.state import Location


@click.command()
@folder_argument
@target_options
@output_option
@click.option(
    "--app", callback=filled, metavar="NAME", help="App to ask about instead of the configured."
)
@click.option(
    "--commit",
    callback=filled,
    metavar="SHA",
    help="Commit that should serve (default: HEAD of DIR).",
)
@click.option(
    "--release", "release_name", callback=filled, metavar="vN", help="Release to ask about."
)
@click.option(
    "--after",
    "after_name",
    callback=filled,
    metavar="vN",
    help="The first release with code since vN.",
)
def command(
    folder: Path,
    env_name: str | None,
    platform: str | None,
    as_json: bool,
    quiet: bool,
    outputs: tuple[str, ...],
    app: str | None,
    commit: str | None,
    release_name: str | None,
    after_name: str | None,
) -> int:
    """Ask again what is true of a release, and change nothing.

    Needs no configuration: where there is none, the app, the commit, the platform and the token may
    come from TRUEGREEN_APP, TRUEGREEN_COMMIT, TRUEGREEN_PLATFORM and TRUEGREEN_API_TOKEN, or from
    HEROKU_APP, GITHUB_SHA and HEROKU_API_KEY.

    \b
    Exits 0 green, 1 red, 3 when it could not find out.

    \b
    Example:  truegreen verify examples/raptor --json
    """
    from truegreen.outputs.document import verification_document
    from truegreen.outputs.formats import parse_outputs
    from truegreen.ship.overriding import recorded, told
    from truegreen.ship.source import full_commit, read_source
    from truegreen.ship.target import choose_environment
    from truegreen.ship.verification import ask_target, question_for
    from truegreen.state import locate

    began = time.monotonic()
    files = parse_outputs(outputs)
    config = read_config(folder)
    environment = choose_environment(config, env_name)
    if config.file is None:
        from truegreen.secret import variable
        from truegreen.ship.unconfigured import Wish, wished

        app, commit, platform = wished(Wish(app, commit, platform), variable, config.root)
    if commit is not None:
        commit = full_commit(folder, commit)
    elif release_name is None:
        commit = read_source(folder.resolve()).commit
    if release_name is not None and after_name is not None:
        raise UsageError("--release and --after are two ways to name a release: give one")
    question = question_for(
        config,
        environment,
        commit=commit,
        version=release_version(release_name),
        after=release_version(after_name),
        app=app,
    )
    verification = ask_target(question, config, environment, platform)
    with _ledger(locate(config.root)) as (ledger, lasts):
        document = verification_document(
            verification.situation,
            timings={"total": round(time.monotonic() - began, 3)},
            overrides=told(recorded(ledger, question.app, verification.situation.commit)),
        )
        try:
            ledger.append(
                "verify",
                app=question.app,
                commit=verification.situation.commit,
                verdict=document["verdict"],
                body=document,
            )
        except TrueGreenError as error:
            _tell_unrecorded(error)
            lasts = False
        tell(
            "verify",
            document,
            config,
            environment._replace(app=question.app),
            ledger,
            as_json=as_json,
            quiet=quiet,
            outputs=files,
            recorded=lasts,
        )
    return verification.verdict.exit_code


@contextmanager
def _ledger(location: Location) -> Iterator[tuple[Ledger, bool]]:
    """The service's ledger, and True. Where it cannot be opened (a folder that is read-only, a
    database that is away) one that is gone afterwards, and False: what was found out is told all
    the same."""
    from truegreen.ledger import Ledger

    with ExitStack() as stack:
        try:
            ledger, lasts = stack.enter_context(Ledger.open(location)), True
        except TrueGreenError as error:
            _tell_unrecorded(error)
            lasts = False
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="truegreen-verify-")))
            ledger = stack.enter_context(Ledger.open(folder / "ledger.sqlite3"))
        yield ledger, lasts


def _tell_unrecorded(error: TrueGreenError) -> None:
    click.echo(f"this verdict is not recorded: {error.message}", err=True)
