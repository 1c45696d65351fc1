"""``truegreen rehearse``: parses, calls ship/rehearse.py, prints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from truegreen.cli.interruption import sigterm_interrupts
from truegreen.cli.options import filled, folder_argument, target_options
from truegreen.cli.withheld import read_config


@click.command()
@folder_argument
@click.option("--app", callback=filled, metavar="APP", help="Another app than the environment's.")
@target_options
def command(
    folder: Path,
    app: str | None,
    env_name: str | None,
    platform: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run the release command of DIR's HEAD here, as it would run there, before it does.

    A private platform gets the app's real config vars (secrets as dummies), a scratch database at
    the schema that the app's database is at, and the release. Nothing is changed at the app.

    \b
    Exits with the verdict that the release would get: 0 green, 1 red, 3 could not find out;
    2 configuration.

    \b
    Example:  truegreen rehearse examples/raptor --env production
    """
    from truegreen.outputs.json_document import print_document
    from truegreen.outputs.live import LiveView
    from truegreen.ship.rehearse import rehearse
    from truegreen.ship.source import read_source
    from truegreen.ship.target import choose_environment, find_target

    config = read_config(folder)
    environment = choose_environment(config, env_name)
    if app is not None:
        environment = environment._replace(app=app, edge="", origin="")
    source = read_source(folder.resolve())
    if source.uncommitted and not quiet:
        count = len(source.uncommitted)
        click.echo(f"rehearsing {source.commit[:8]}; {count} not committed, left out", err=True)
    with sigterm_interrupts():
        target = find_target(config, environment, platform, start=False)
        with LiveView(quiet=quiet) as view:
            rehearsal = rehearse(config, source, target, view)
    if as_json:
        print_document(rehearsal.document)
    elif not quiet:
        _print(rehearsal.document)
    return rehearsal.verdict.exit_code


def _print(document: Mapping[str, Any]) -> None:
    config = document["config"]
    click.echo(
        f"config vars of {config['app']}, as they are: {', '.join(config['kept']) or 'none'}"
    )
    for one in config["replaced"]:
        click.echo(f"  {one['name']}: {one['by']} here ({one['why']})")
    schema = document["schema"]
    if schema["from"] or schema["to"]:
        click.echo(f"schema: {schema['from'] or 'empty'} → {schema['to'] or 'not migrated'}")
    for failure in document["predicted"]["failures"]:
        body = f": {failure['body']}" if failure["body"] else ""
        click.echo(f"  would fail: {failure['test']}: {failure['message']}{body}")
    for leak in document["predicted"]["leaks"]:
        state = "set there" if leak["present"] else "absent there"
        click.echo(f"  leaks: {leak['variable']} at {leak['file']}:{leak['line']} ({state})")
    for note in document["notes"]:
        click.echo(f"  {note}")
    click.echo(f"{document['verdict'].upper()}  {document['sentence']}")
