"""``truegreen init``: parses, plans, shows, writes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from truegreen.cli.options import folder_argument, json_option, quiet_option
from truegreen.errors import UsageError

if TYPE_CHECKING:
    from truegreen.init import Plan


@click.command()
@folder_argument
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option("--show", metavar="PATH", help="Print what PATH would say, and change nothing.")
@click.option(
    "--install",
    "requirement",
    metavar="REQUIREMENT",
    help="What the workflow's pip installs (default: this version of truegreen[ops]).",
)
@json_option
@quiet_option
def command(
    folder: Path,
    yes: bool,
    show: str | None,
    requirement: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Bring an existing Flask, Django or FastAPI repository to a gated, verified deploy.

    Writes truegreen.toml, the Procfile's release line, the deploy workflow and docs/incidents/,
    after showing the diff. What is there with other content is left alone; it says what to add.
    Run again it has nothing to do.

    \b
    Exits 0 when it was written or nothing was to do, 2 when nothing was written.

    \b
    Example:  truegreen init --yes
    """
    from importlib.metadata import version

    from truegreen.init import plan
    from truegreen.init.apply import alone, begun, write
    from truegreen.init.plan import contents, targets
    from truegreen.init.repository import read_existing, read_repository
    from truegreen.outputs.json_document import print_document

    found = read_repository(folder)
    wanted = requirement or f"truegreen[ops]=={version('truegreen')}"
    if show is not None:
        texts = contents(found.facts, wanted)
        if show not in texts:
            raise UsageError(f"init writes no {show}", hint="one of " + ", ".join(texts))
        click.echo(texts[show], nl=False)
        return 0
    root = folder.resolve()
    if begun(root):
        with alone(root):
            click.echo("an init that was killed here was taken back first", err=True)
    planned = plan(found.facts, read_existing(found.top, targets(found.facts)), wanted)
    if not as_json:
        if planned.diff:
            click.echo(planned.diff, nl=False)
        _tell(planned, quiet=quiet)
    agreed = bool(planned.changes) and (yes or (not as_json and _agreed()))
    if agreed:
        with alone(root):
            write(root, found.top, planned.changes)
    if as_json:
        print_document(_document(planned, found.gaps, written=agreed))
    if not planned.changes or agreed:
        if not quiet:
            told = "written: look at it, commit it" if agreed else "nothing to do"
            click.echo(f"{told}; truegreen doctor says what else may go wrong", err=True)
        return 0
    raise UsageError("nothing was written", hint="truegreen init --yes writes it")


def _agreed() -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return click.confirm("Write this?", default=False, err=True)


def _tell(planned: Plan, *, quiet: bool) -> None:
    for one in planned.left:
        add = f"\n    {one.add}" if one.add else ""
        if add or not quiet:
            click.echo(f"left as it is: {one.path} {one.why}{add}", err=True)
    for note in () if quiet else planned.notes:
        click.echo(f"by hand: {note}", err=True)


def _document(planned: Plan, gaps: tuple[str, ...], *, written: bool) -> dict[str, Any]:
    return {
        "written": written,
        "changes": [
            {
                "path": one.path,
                "action": "create" if one.old is None else "edit",
                "diff": one.diff,
            }
            for one in planned.changes
        ],
        "left": [{"path": one.path, "why": one.why, "add": one.add} for one in planned.left],
        "by_hand": list(planned.notes),
        "not_looked_into": list(gaps),
    }
