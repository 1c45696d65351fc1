"""``truegreen smoke``: parses, calls gates/smoke.py, prints."""

from __future__ import annotations

import dataclasses
import os
from datetime import UTC, datetime
from pathlib import Path

import click

from truegreen.cli.interruption import sigterm_interrupts
from truegreen.cli.options import json_option, quiet_option
from truegreen.config import load_config
from truegreen.errors import UsageError


@click.command()
@click.argument("paths", metavar="[PATHS]...", nargs=-1)
@click.option(
    "--dir",
    "folder",
    metavar="DIR",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The service's root; default: this folder. PATHS are relative to it.",
)
@json_option
@quiet_option
def command(paths: tuple[str, ...], folder: Path, as_json: bool, quiet: bool) -> int:
    """Run the smoke suite in its seal, here, as the release command runs it on the dyno.

    PATHS instead of smoke.paths. pytest's output is shown (on standard error with --json).

    \b
    Exits 0 all passed and nothing leaked; 1 not; 2 nothing to run; 3 could not be run.

    \b
    Example:  truegreen smoke tests/smoke --dir examples/raptor
    """
    from truegreen.gates.smoke import sealed_suite
    from truegreen.model import Status
    from truegreen.outputs.json_document import print_document

    config = load_config(folder)
    for path in paths:
        if not (config.root / path.split("::")[0]).exists():
            raise UsageError(f"{path} is not in {config.root}")
    if paths:
        suite = dataclasses.replace(config.smoke, paths=paths)
        config = dataclasses.replace(config, smoke=suite)
    if not config.smoke.paths:
        raise UsageError(
            "no smoke suite: smoke.paths is empty", hint="name PATHS, or set smoke.paths"
        )
    with Path(os.devnull).open("wb") as nowhere, sigterm_interrupts():
        output = nowhere.fileno() if quiet else (2 if as_json else None)
        result = sealed_suite(config, datetime.now(UTC), environ=os.environ, output=output)
    if as_json:
        print_document(result.as_json())
    elif not quiet:
        click.echo(f"smoke: {result.status}: {result.reason}")
        for finding in result.findings:
            click.echo(f"  {finding.where}  {finding.kind}: {finding.text}")
        if result.clears:
            click.echo(f"  {result.clears}")
    return {Status.PASS: 0, Status.FAIL: 1, Status.UNKNOWN: 3}[result.status]
