"""``truegreen dora``: parses, reads the ledger, prints."""

from __future__ import annotations

from pathlib import Path

import click

from truegreen.cli.options import env_option, filled, folder_argument, json_option
from truegreen.config import load_config
from truegreen.errors import UsageError


@click.command()
@folder_argument
@env_option
@click.option(
    "--app", callback=filled, metavar="NAME", help="App to measure instead of the configured."
)
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 3660))
@click.option(
    "--svg", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="A picture too."
)
@json_option
def command(
    folder: Path, env_name: str | None, app: str | None, days: int, svg: Path | None, as_json: bool
) -> int:
    """DORA's measures of what was shipped, out of the ledger.

    A measure without a sample says so; it is never 0.

    \b
    Example:  truegreen dora examples/raptor --days 90 --svg dora.svg
    """
    from datetime import UTC, datetime, timedelta

    from truegreen.ledger import Ledger
    from truegreen.ledger.dora import deployments
    from truegreen.model.dora import measure
    from truegreen.outputs.dora import dora_document, dora_lines, dora_svg
    from truegreen.outputs.json_document import print_document
    from truegreen.ship.target import choose_environment
    from truegreen.state import locate

    config = load_config(folder)
    name = app or choose_environment(config, env_name).app
    where = locate(config.root)
    if not Ledger.begun(where):
        raise UsageError(f"{folder} has no ledger yet", hint="truegreen ship writes it")
    until = datetime.now(UTC)
    with Ledger.open(where) as ledger:
        runs = deployments(ledger.records(app=name))
    measures = measure(name, runs, since=until - timedelta(days=days), until=until)
    if svg is not None:
        try:
            svg.write_text(dora_svg(measures), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{svg} cannot be written: {error.strerror}") from error
    if as_json:
        print_document(dora_document(measures))
    else:
        for line in dora_lines(measures):
            click.echo(line)
    return 0
