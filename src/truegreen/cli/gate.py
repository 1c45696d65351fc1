"""``truegreen gate``: parses, calls gates/run.py, prints."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from truegreen.cli.interruption import sigterm_interrupts
from truegreen.cli.options import env_option, json_option, quiet_option
from truegreen.config import load_config
from truegreen.errors import UsageError

if TYPE_CHECKING:
    from truegreen.gates.result import Finding, GateResult

SHOWN = 20  # findings of one gate on a terminal; --json has all


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--dir",
    "folder",
    metavar="DIR",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The service's root; default: this folder.",
)
@click.option("--at", metavar="ISO", help="Ask for this moment, e.g. 2026-12-24T18:00:00+01:00.")
@env_option
@json_option
@quiet_option
def command(
    names: tuple[str, ...],
    folder: Path,
    at: str | None,
    env_name: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Ask the gates NAME (freeze, scan, migrations, smoke; all without a NAME). Changes nothing.

    \b
    Exits 0 when every gate is open; 4 when one refuses, or could not find out;
    2 for a configuration that cannot be asked.

    \b
    Example:  truegreen gate freeze scan --dir examples/raptor
    """
    from truegreen.gates.run import STANDARD_ERROR, configured, run_gates
    from truegreen.outputs.json_document import print_document
    from truegreen.ship.target import choose_environment

    config = load_config(folder)
    choose_environment(config, env_name)
    wanted = names or configured(config)
    with Path(os.devnull).open("wb") as nowhere, sigterm_interrupts():
        output = nowhere.fileno() if quiet else STANDARD_ERROR
        results = run_gates(wanted, config, now=_moment(at), output=output)
    is_open = all(result.open for result in results)
    if as_json:
        print_document({"gates": [result.as_json() for result in results], "open": is_open})
    elif not quiet:
        for result in results:
            _print(result)
    return 0 if is_open else 4


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"--at: {text!r} is not a date and time", hint="write 2026-12-24T18:00:00+01:00"
        ) from error
    if moment.tzinfo is None:
        raise UsageError(f"--at: {text!r} has no offset", hint="add Z, or e.g. +01:00")
    return moment.astimezone(UTC)


def _print(result: GateResult) -> None:
    state = "open" if result.open else f"shut ({result.status})"
    source = f" ({result.source})" if result.source else ""
    click.echo(f"{result.name:<11} {state:<15} {result.reason}{source}")
    blocking = [finding for finding in result.findings if finding.blocks]
    listed = [finding for finding in result.findings if not finding.blocks]
    for group in (blocking, listed):
        for finding in group[:SHOWN]:
            click.echo(f"            {_line(finding)}")
        if len(group) > SHOWN:
            click.echo(f"            and {len(group) - SHOWN} more: --json lists all")
    if result.clears:
        click.echo(f"            to open it: {result.clears}")


def _line(finding: Finding) -> str:
    mark = f"  [{finding.fingerprint}]" if finding.fingerprint else ""
    return f"{finding.where}  {finding.kind}: {finding.text}{mark}"
