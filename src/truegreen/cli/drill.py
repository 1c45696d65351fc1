"""``truegreen drill``: lists, runs, begins and exports drills; parses, calls, prints."""

from __future__ import annotations

from pathlib import Path

import click

from truegreen.cli.options import dir_option, json_option, quiet_option
from truegreen.errors import UsageError


@click.group()
def command() -> None:
    """Put a fault in, and show that the check that is there for it reports it.

    \b
    Example:  truegreen drill run release-smoke-cf-origin-guard
    """


@command.command("list")
@dir_option
@json_option
def list_(folder: Path, as_json: bool) -> int:
    """List the drills: those of TrueGreen, and those beside the service's incidents."""
    from truegreen.config import load_config
    from truegreen.incidents.drills import drills
    from truegreen.incidents.drills.shelf import as_json as told
    from truegreen.outputs.drill_table import list_lines
    from truegreen.outputs.json_document import print_document

    found = [told(drill) for drill in drills(load_config(folder)).values()]
    if as_json:
        print_document(found)
    else:
        click.echo("\n".join(list_lines(found)))
    return 0


@command.command()
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--all", "run_all", is_flag=True, help="Run every drill.")
@click.option(
    "--service",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Root of the service for the founding drill (default: the example, Raptor).",
)
@click.option(
    "--world",
    type=click.Choice(["hold", "deploy", "both"]),
    default="both",
    show_default=True,
    help="What the platform does with a failed release, in the founding drill.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with the timeline to this file.",
)
@dir_option
@json_option
@quiet_option
def run(
    names: tuple[str, ...],
    run_all: bool,
    service: Path | None,
    world: str,
    report: Path | None,
    folder: Path,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run drills on a stage of their own.

    \b
    Exits 0 when each fault was reported as it should be, 1 when one was not,
    3 when one could not be made.

    \b
    Example:  truegreen drill run --all --report drills.html
    """
    import time

    from truegreen.cli.interruption import sigterm_interrupts
    from truegreen.cli.withheld import read_config
    from truegreen.incidents.drills import Demand, choose, drills, exit_code, run_drills
    from truegreen.incidents.drills.recording import record
    from truegreen.incidents.drills.service import find_service, needed
    from truegreen.incidents.drills.show import document
    from truegreen.incidents.folder import write_text
    from truegreen.outputs.drill_report import page
    from truegreen.outputs.drill_table import print_drills
    from truegreen.outputs.json_document import print_document
    from truegreen.outputs.live import Ticker
    from truegreen.outputs.table import stdout_console

    config = read_config(folder)
    found = drills(config)
    if not names and not run_all:
        raise UsageError("no drill is named", hint="name one, or --all")
    chosen = list(found.values()) if run_all else choose(found, names)
    worlds = ("hold", "deploy") if world == "both" else (world,)
    root = find_service(service) if needed(chosen) else None
    origin = time.monotonic()
    with sigterm_interrupts(), Ticker("drill", quiet=quiet) as ticker:
        results = run_drills(Demand(chosen, worlds, root), ticker.say)
    record(config, results)
    told = document(results, origin)
    if report is not None:
        write_text(report, page(told))
    if as_json:
        print_document(told)
    elif not quiet:
        print_drills(told, stdout_console())
    return exit_code(results)


@command.command()
@click.argument("name")
@dir_option
def new(name: str, folder: Path) -> int:
    """Begin a drill of the service's own: a commented file that runs as it stands.

    \b
    Example:  truegreen drill new checkout-times-out
    """
    from truegreen.config import load_config
    from truegreen.incidents.drills.skeleton import begin

    click.echo(begin(load_config(folder), name))
    return 0


@command.command()
@click.argument("name")
@click.option(
    "--format",
    "form",
    type=click.Choice(["chaostoolkit"]),
    default="chaostoolkit",
    show_default=True,
    help="What to write it for.",
)
@dir_option
def export(name: str, form: str, folder: Path) -> int:
    """Write a drill as an experiment of another tool, on standard output.

    \b
    Example:  truegreen drill export green-then-crash > experiment.json
    """
    from truegreen.config import load_config
    from truegreen.incidents.drills import choose, drills
    from truegreen.incidents.drills.shelf import as_json as told
    from truegreen.outputs.chaostoolkit import experiment
    from truegreen.outputs.json_document import print_document

    del form  # there is one so far
    (drill,) = choose(drills(load_config(folder)), (name,))
    print_document(experiment(told(drill)))
    return 0
