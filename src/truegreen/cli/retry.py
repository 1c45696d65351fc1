"""``truegreen retry``: parses, calls ship/retry.py, prints."""

from __future__ import annotations

from pathlib import Path

import click

from truegreen.cli.options import filled, folder_argument, release_version, target_options
from truegreen.cli.telling import Telling, output_option, tell_end
from truegreen.cli.withheld import read_config


@click.command()
@folder_argument
@target_options
@output_option
@click.option(
    "--release",
    "release_name",
    callback=filled,
    metavar="vN",
    help="Release to try (default: newest).",
)
def command(
    folder: Path,
    env_name: str | None,
    platform: str | None,
    as_json: bool,
    quiet: bool,
    outputs: tuple[str, ...],
    release_name: str | None,
) -> int:
    """Try a failed release again: the same slug as a new release, and the same verification.

    \b
    Exits 0 green, 1 red, 2 when there is nothing to try again, 3 unverified.

    \b
    Example:  truegreen retry examples/raptor
    """
    from truegreen.cli.leased_run import leased_run
    from truegreen.outputs.formats import parse_outputs
    from truegreen.ship.retry import retry
    from truegreen.ship.target import choose_environment, find_target
    from truegreen.state import locate

    config = read_config(folder)
    location = locate(config.root)
    version = release_version(release_name)
    files = parse_outputs(outputs)
    environment = choose_environment(config, env_name)
    target = find_target(config, environment, platform, start=False)
    with leased_run("retry", target, location, env_name, quiet=quiet) as run:
        tried = retry(config, target, version, ledger=run.ledger, watcher=run.watcher)
        run.ended(str(tried.verdict))
    telling = Telling(as_json, quiet, files)
    tell_end("retry", tried.document, config, environment, location, telling)
    return tried.verdict.exit_code
