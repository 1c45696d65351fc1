"""``truegreen drill``: lists and runs drills; parses, calls, prints."""

from __future__ import annotations

from pathlib import Path

import click

from truegreen.cli.options import json_option, quiet_option
from truegreen.errors import UsageError


@click.group()
def command() -> None:
    """Put a fault in, and show that the check that is there for it reports it.

    \b
    Example:  truegreen drill run release-smoke-cf-origin-guard
    """


@command.command("list")
@json_option
def list_(as_json: bool) -> int:
    """List the drills, with the checks that must report each fault."""
    from truegreen.incidents.drills import DRILLS
    from truegreen.outputs.json_document import print_document

    if as_json:
        print_document([drill.as_json() for drill in DRILLS])
    else:
        for drill in DRILLS:
            click.echo(f"{drill.name}\n    {drill.title}")
            click.echo(f"    reported by {', '.join(drill.checks)}, within {drill.within:.0f} s")
    return 0


@command.command()
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--all", "run_all", is_flag=True, help="Run every drill.")
@click.option(
    "--service",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Root of the service to drill (default: the example, Raptor).",
)
@click.option(
    "--world",
    type=click.Choice(["hold", "deploy", "both"]),
    default="both",
    show_default=True,
    help="What the platform does with a failed release.",
)
@json_option
@quiet_option
def run(
    names: tuple[str, ...],
    run_all: bool,
    service: Path | None,
    world: str,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run drills on a stage of their own. Exits 0 when each was detected as it should be.

    \b
    Example:  truegreen drill run --all --json
    """
    from truegreen.incidents.drills import BY_NAME, DRILLS
    from truegreen.incidents.drills.service import find_service
    from truegreen.outputs.drill_table import print_drill
    from truegreen.outputs.json_document import print_document
    from truegreen.outputs.live import Ticker
    from truegreen.outputs.table import stdout_console

    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise UsageError(f"there is no drill {unknown[0]!r}", hint="truegreen drill list")
    if not names and not run_all:
        raise UsageError("no drill is named", hint="name one, or --all")
    chosen = DRILLS if run_all else tuple(BY_NAME[name] for name in names)
    worlds = ("hold", "deploy") if world == "both" else (world,)
    root = find_service(service)
    results = []
    for drill in chosen:
        with Ticker(drill.name, quiet=quiet) as ticker:
            results.append(drill.run(root, worlds, ticker.say))
    documents = [result.as_json() for result in results]
    if as_json:
        print_document({"drills": documents})
    elif not quiet:
        for document in documents:
            print_drill(document, stdout_console())
    return 0 if all(result.passed for result in results) else 1
