"""``truegreen rollback``: parses, calls ship/rollback.py, prints."""

from __future__ import annotations

from pathlib import Path

import click

from truegreen.cli.options import (
    filled,
    folder_argument,
    given_reason,
    release_version,
    target_options,
)
from truegreen.cli.telling import Telling, output_option, tell_end
from truegreen.cli.withheld import read_config


@click.command()
@folder_argument
@target_options
@output_option
@click.option(
    "--to",
    "to_name",
    callback=filled,
    metavar="vN",
    help="Release to go back to (default: the one before).",
)
@click.option("--plan", "only_plan", is_flag=True, help="Say what would happen; change nothing.")
@click.option(
    "--anyway",
    metavar="REASON",
    callback=given_reason,
    help="Go although a question fails or somebody ships; the record says why.",
)
def command(
    folder: Path,
    env_name: str | None,
    platform: str | None,
    as_json: bool,
    quiet: bool,
    outputs: tuple[str, ...],
    to_name: str | None,
    only_plan: bool,
    anyway: str,
) -> int:
    """Go back to an earlier release, after asking whether it would survive.

    Asked first: does the platform keep it, does its code know the schema, would its release
    command survive, do its flags parse. Then it is verified like any deploy.

    \b
    Exits 0 green, 1 red, 3 unverified, 4 refused (nothing was changed).

    \b
    Example:  truegreen rollback examples/raptor --plan
    """
    from truegreen.cli.leased_run import leased_run
    from truegreen.outputs.formats import parse_outputs
    from truegreen.outputs.json_document import print_document
    from truegreen.ship.rollback import PATIENCE, plan, roll_back, told_plan
    from truegreen.ship.target import choose_environment, find_target
    from truegreen.state import locate

    config = read_config(folder)
    location = locate(config.root)
    version = release_version(to_name)
    files = parse_outputs(outputs)
    environment = choose_environment(config, env_name)
    target = find_target(config, environment, platform, start=False)
    if only_plan:
        with target.client(patience=PATIENCE) as client:
            found = plan(config, target, client, version)
        if as_json:
            print_document(found.as_json())
        elif not quiet:
            click.echo("\n".join(told_plan(found)))
        return found.exit_code
    # A lock never stops a rollback that somebody insists on.
    with leased_run("rollback", target, location, env_name, quiet=quiet, leased=not anyway) as run:
        back = roll_back(
            config, target, version, anyway=anyway, ledger=run.ledger, watcher=run.watcher
        )
        run.ended(str(back.verdict))
    telling = Telling(as_json, quiet, files)
    tell_end("rollback", back.document, config, environment, location, telling)
    return back.verdict.exit_code
