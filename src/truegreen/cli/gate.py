"""``truegreen gate``: parses, calls gates/run.py, prints."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from truegreen.cli.interruption import sigterm_interrupts
from truegreen.cli.moment import at_option
from truegreen.cli.options import env_option, filled, json_option, platform_option, quiet_option
from truegreen.cli.withheld import read_config

if TYPE_CHECKING:
    from truegreen.config import Config
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
@click.option(
    "--commit", callback=filled, metavar="SHA", help="Commit that would be shipped (default: HEAD)."
)
@click.option("--explain", is_flag=True, help="Show what each answer rests on, step by step.")
@click.option(
    "--write-sizes",
    metavar="env:NAME",
    help="Write migrations.table_sizes from the database of this URL, and ask nothing.",
)
@click.option("--wave", "show_wave", is_flag=True, help="Show what would go out, too.")
@at_option
@env_option
@platform_option
@json_option
@quiet_option
def command(
    names: tuple[str, ...],
    folder: Path,
    commit: str | None,
    explain: bool,
    write_sizes: str | None,
    show_wave: bool,
    at: datetime | None,
    env_name: str | None,
    platform: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Ask the gates NAME (all that are configured without a NAME). Changes nothing.

    \b
    Exits 0 when every gate is open; 4 when one refuses; 3 when none refuses
    and one could not find out; 2 for a configuration that cannot be asked.

    \b
    Example:  truegreen gate freeze scan --dir examples/raptor
    """
    from truegreen.gates.run import STANDARD_ERROR, configured, exit_code, run_gates
    from truegreen.incidents.every_gate import GATES
    from truegreen.outputs.json_document import print_document
    from truegreen.outputs.override_line import override_line
    from truegreen.outputs.wave_text import lines as wave_lines
    from truegreen.ship.asking import question_of
    from truegreen.ship.environments import choose_environment
    from truegreen.ship.overriding import read_overrides
    from truegreen.ship.source import full_commit

    config = read_config(folder)
    if write_sizes is not None:
        return _write_sizes(config, write_sizes, as_json=as_json, quiet=quiet)
    environment = choose_environment(config, env_name)
    wanted = names or configured(config, GATES)
    with Path(os.devnull).open("wb") as nowhere, sigterm_interrupts():
        question = question_of(
            config,
            environment,
            platform=platform,
            commit=full_commit(config.root, commit) if commit else "HEAD",
            now=at,
            output=nowhere.fileno() if quiet else STANDARD_ERROR,
        )
        results = run_gates(wanted, question, GATES)
    code = exit_code(results)
    given = read_overrides(config, environment.app).get(question.full_commit, [])
    wave = question.wave.as_json() if show_wave else None
    if as_json:
        print_document(
            {
                "gates": [result.as_json() for result in results],
                "open": code == 0,
                "wave": wave,
                "overrides": given,
            }
        )
    elif not quiet:
        for result in results:
            _print(result, explain=explain)
        for line in (*map(override_line, given), *(wave_lines(wave) if wave else ())):
            click.echo(line)
    return code


def _write_sizes(config: Config, reference: str, *, as_json: bool, quiet: bool) -> int:
    from truegreen.gates.migrations.sizes import snapshot
    from truegreen.outputs.json_document import print_document

    file, tables = snapshot(config, reference)
    if as_json:
        print_document({"file": str(file), "tables": tables})
    elif not quiet:
        click.echo(f"{file}: {tables} tables")
    return 0


def _print(result: GateResult, *, explain: bool) -> None:
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
    for line in result.explained if explain else ():
        click.echo(f"            {line}".rstrip())
    if result.clears:
        click.echo(f"            to open it: {result.clears}")


def _line(finding: Finding) -> str:
    mark = f"  [{finding.fingerprint}]" if finding.fingerprint else ""
    return f"{finding.where}  {finding.kind}: {finding.text}{mark}"
