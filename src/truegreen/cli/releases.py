"""``truegreen releases``: parses, asks, prints."""

from __future__ import annotations

from pathlib import Path

import click

from truegreen.cli.options import folder_argument, target_options
from truegreen.config import load_config


@click.command()
@folder_argument
@target_options
@click.option("--app", metavar="NAME", help="App to list instead of the configured.")
@click.option("--limit", default=15, show_default=True, type=click.IntRange(1, 1000))
def command(
    folder: Path,
    env_name: str | None,
    platform: str | None,
    as_json: bool,
    quiet: bool,
    app: str | None,
    limit: int,
) -> int:
    """List an app's releases: status, which one is current, and the commit of each.

    \b
    Example:  truegreen releases examples/raptor
    """
    del quiet
    from truegreen.model import short
    from truegreen.outputs.json_document import print_document
    from truegreen.ship.releases import list_releases
    from truegreen.ship.target import choose_environment, find_target

    config = load_config(folder)
    environment = choose_environment(config, env_name)
    target = find_target(config, environment, platform, start=False)
    with target.client(patience=15.0) as client:
        found = list_releases(client, app or target.app, limit)
    if as_json:
        print_document([one.as_json() for one in found])
        return 0
    for one in found:
        mark = "*" if one.current else " "
        commit = short(one.commit) if one.commit else "-"
        click.echo(
            f"{mark} v{one.version:<5} {one.status:<9}  {commit:<8}  {one.at}  {one.description}"
        )
    return 0
