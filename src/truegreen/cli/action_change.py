"""``truegreen action close``, ``reopen`` and ``waive``: parse, call the desk, print."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import click

from truegreen.cli.action_check import base_option, url_option
from truegreen.cli.interruption import sigterm_interrupts
from truegreen.cli.options import dir_option, quiet_option
from truegreen.cli.withheld import read_config
from truegreen.errors import UsageError


@click.command("close")
@click.argument("name", metavar="ACTION")
@dir_option
@base_option
@url_option
@quiet_option
def close_command(name: str, folder: Path, base: str | None, url: str | None, quiet: bool) -> int:
    """Close a follow-up: its proof is seen failing at the incident, and holding at HEAD.

    \b
    Exits 0 when it is closed in the review's file (to be committed), 4 when it is refused.

    \b
    Example:  truegreen action close pin-the-flag --dir examples/raptor
    """
    from truegreen.incidents.actions.desk import open_desk

    extra = {"TRUEGREEN_APP_URL": url} if url else {}
    with sigterm_interrupts(), open_desk(read_config(folder), base=base) as desk:
        proven = desk.close(name, datetime.now(UTC).replace(microsecond=0), extra)
        note = desk.base.note
    if not quiet:
        seen = f"red at the incident (exit {proven.red.exit}), " if proven.red else ""
        click.echo(f"{proven.name} is closed: {seen}holds now. Commit the review.", err=True)
        if note:
            click.echo(note, err=True)
    return 0


@click.command("reopen")
@click.argument("name", metavar="ACTION")
@click.option("--reason", required=True, metavar="WHY")
@dir_option
@base_option
@quiet_option
def reopen_command(name: str, reason: str, folder: Path, base: str | None, quiet: bool) -> int:
    """Open a closed follow-up again.

    \b
    Example:  truegreen action reopen pin-the-flag --reason "the new suite has no pin"
    """
    from truegreen.incidents.actions.desk import open_desk

    with open_desk(read_config(folder), base=base) as desk:
        one = desk.reopen(name, reason)
    if not quiet:
        click.echo(f"{one.name} is open again. Commit the review.", err=True)
    return 0


@click.command("waive")
@click.argument("name", metavar="ACTION")
@click.option("--by", required=True, metavar="WHO")
@click.option("--reason", required=True, metavar="WHY")
@click.option("--until", required=True, metavar="DAY", help="The last day, e.g. 2026-07-01.")
@dir_option
@base_option
@quiet_option
def waive_command(
    name: str, by: str, reason: str, until: str, folder: Path, base: str | None, quiet: bool
) -> int:
    """Let a follow-up wait until a day. It is in the ledger, and expires by itself.

    \b
    Example:  truegreen action waive ask-the-release --by ada --reason "…" --until 2026-07-01
    """
    from truegreen.incidents.actions.desk import open_desk, today
    from truegreen.incidents.document import Waiver

    try:
        day = date.fromisoformat(until)
    except ValueError as error:
        raise UsageError(f"--until: {until!r} is not a day", hint="write 2026-07-01") from error
    with open_desk(read_config(folder), base=base) as desk:
        one = desk.waive(name, Waiver(by, reason, day), today())
    if not quiet:
        click.echo(f"{one.name} may wait until {day}. Commit the review.", err=True)
    return 0
