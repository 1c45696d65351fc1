"""``truegreen releases``: parses, asks, prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from truegreen.cli.options import filled, folder_argument, target_options
from truegreen.cli.withheld import read_config
from truegreen.errors import UsageError

if TYPE_CHECKING:
    from truegreen.ship.turn import Turn
    from truegreen.state import Location


@click.command()
@folder_argument
@target_options
@click.option(
    "--app", callback=filled, metavar="NAME", help="App to list instead of the configured."
)
@click.option("--lease", is_flag=True, help="Who ships the app now and who waits, instead.")
@click.option(
    "--queue", is_flag=True, help="What waits, and what workers carry out, of every app (or --app)."
)
@click.option("--limit", default=15, show_default=True, type=click.IntRange(1, 1000))
def command(
    folder: Path,
    env_name: str | None,
    platform: str | None,
    as_json: bool,
    quiet: bool,
    app: str | None,
    lease: bool,
    queue: bool,
    limit: int,
) -> int:
    """List an app's releases: status, which one is current, and the commit of each; who ships
    it at this moment; and with --queue everything that waits.

    \b
    Example:  truegreen releases examples/raptor
    """
    del quiet

    from truegreen.model import short
    from truegreen.outputs.json_document import print_document
    from truegreen.outputs.override_line import override_line
    from truegreen.ship.overriding import read_overrides
    from truegreen.ship.releases import list_releases
    from truegreen.ship.target import choose_environment, find_target
    from truegreen.ship.turn import look_at_turn
    from truegreen.state import locate

    config = read_config(folder)
    if queue:
        if lease:
            raise UsageError("--queue shows the leases that are waited for too", hint="one of them")
        return _print_queue(locate(config.root), app, as_json=as_json)
    environment = choose_environment(config, env_name)
    target = find_target(config, environment, platform, start=False)
    if app:
        target = target._replace(environment=environment._replace(app=app))
    turn = look_at_turn(locate(config.root), target)
    if lease:
        return _print_lease(turn, as_json=as_json)
    with target.client(patience=15.0) as client:
        found = list_releases(client, target.app, limit, read_overrides(config, target.app))
    if as_json:
        print_document([one.as_json() for one in found])
        return 0
    for one in found:
        mark = "*" if one.current else " "
        commit = short(one.commit) if one.commit else "-"
        click.echo(
            f"{mark} v{one.version:<5} {one.status:<9}  {commit:<8}  {one.at}  {one.description}"
        )
        for override in one.overrides:
            click.echo(f"         {override_line(override)}")
    if turn.busy:
        _print_lease(turn, as_json=False)
    return 0


def _print_queue(location: Location, app: str | None, *, as_json: bool) -> int:
    from datetime import UTC, datetime

    from truegreen.outputs.json_document import print_document
    from truegreen.workers.line import lines
    from truegreen.workers.looking import look_at_line

    found = look_at_line(location, datetime.now(UTC), app)
    if as_json:
        print_document(found)
    else:
        for line in lines(found):
            click.echo(line)
    return 0


def _print_lease(turn: Turn, *, as_json: bool) -> int:
    from truegreen.outputs.json_document import print_document

    if as_json:
        print_document(turn.as_json())
    else:
        for line in turn.lines():
            click.echo(line)
    return 0
