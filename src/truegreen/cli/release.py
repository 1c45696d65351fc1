"""``truegreen release``: the release command, for the Procfile. Parses and calls."""

from __future__ import annotations

import os
from pathlib import Path

import click

from truegreen.release.report import PHASES
from truegreen.release.run import release


@click.command("release")
@click.argument(
    "directory", metavar="[DIR]", default=".", type=click.Path(exists=True, file_okay=False)
)
@click.option(
    "--only", multiple=True, type=click.Choice(PHASES), help="Only this phase; may be repeated."
)
@click.pass_context
def command(context: click.Context, directory: str, only: tuple[str, ...]) -> None:
    """The release command: preflight, migrate, smoke, and the report of what came of them.

    Runs on the dyno, before the release takes traffic. In the Procfile:

    \b
        release: truegreen release

    Exits 0, or 2 (configuration), 11 (preflight), 12 (migrate), 13 (smoke). The last line of its
    output, truegreen-report/1 {…}, is the report as JSON.
    """
    context.exit(release(Path(directory).resolve(), os.environ, only))
