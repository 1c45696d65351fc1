"""``truegreen action list`` and ``check``: parse, call the desk, print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from truegreen.cli.interruption import sigterm_interrupts
from truegreen.cli.options import dir_option, filled, json_option, quiet_option
from truegreen.cli.withheld import read_config
from truegreen.errors import UsageError

if TYPE_CHECKING:
    from truegreen.incidents.actions.desk import Checked

base_option = click.option(
    "--base", metavar="REV", help="The trusted revision; default: incidents.base."
)
url_option = click.option(
    "--url", metavar="URL", help="Where a live proof finds the app (TRUEGREEN_APP_URL)."
)


@click.command("list")
@dir_option
@base_option
@json_option
def list_command(folder: Path, base: str | None, as_json: bool) -> int:
    """List the follow-ups, and how each stands.

    \b
    Example:  truegreen action list --dir examples/raptor
    """
    from truegreen.incidents.actions.desk import open_desk, today
    from truegreen.outputs.json_document import print_document

    with open_desk(read_config(folder), base=base) as desk:
        told = [one.as_json(today()) for one in desk.standings()]
        trusted = {"name": desk.base.name, "commit": desk.base.commit, "note": desk.base.note}
    if as_json:
        print_document({"base": trusted, "actions": told})
        return 0
    for one in told:
        due = f"due {one['due']}" if one["due"] else "no day"
        click.echo(f"{one['state']:<9} {one['name']}  {one['owner'] or 'nobody'}, {due}")
        click.echo(f"          {one['title']}")
        if one["problem"]:
            click.echo(f"          {one['problem']}")
    if trusted["note"]:
        click.echo(trusted["note"], err=True)
    return 0


@click.command("check")
@click.argument("names", metavar="[ACTION]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every follow-up; fails for closed ones only.")
@click.option("--red", "red_again", is_flag=True, help="See each proof fail at the incident again.")
@click.option("--when", type=click.Choice(("candidate", "live")), default="candidate")
@click.option(
    "--commit", callback=filled, default="HEAD", metavar="REV", help="Ask about this commit."
)
@url_option
@dir_option
@base_option
@json_option
@quiet_option
def check_command(
    names: tuple[str, ...],
    every: bool,
    red_again: bool,
    when: str,
    commit: str,
    url: str | None,
    folder: Path,
    base: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run the proofs of follow-ups ACTION (INCIDENT/ACTION, or ACTION alone) at a commit.

    \b
    Exits 0 when what was named holds; with --all, when everything closed still holds.
    1 when not, 3 when it could not be found out.

    \b
    Example:  truegreen action check --all --base origin/main
    """
    from truegreen.incidents.actions.desk import open_desk, today
    from truegreen.outputs.json_document import print_document

    if bool(names) == every:
        raise UsageError("name follow-ups, or say --all", hint="truegreen action list")
    extra = {"TRUEGREEN_APP_URL": url} if url else {}
    checked: list[Checked] = []
    with sigterm_interrupts(), open_desk(read_config(folder), base=base, commit=commit) as desk:
        listed = desk.standings()
        chosen = listed if every else [desk.find(name, listed) for name in names]
        for one in desk.check(chosen, when=when, red_again=red_again, extra=extra):
            checked.append(one)
            if not quiet and not as_json:
                click.echo(_line(one))
        note, trusted = desk.base.note, desk.base
        candidate = desk.candidate
    code = _code(checked, every=every)
    if as_json:
        print_document(
            {
                "base": {"name": trusted.name, "commit": trusted.commit, "note": note},
                "commit": candidate,
                "actions": [one.as_json(today()) for one in checked],
                "holds": code == 0,
            }
        )
    elif note and not quiet:
        click.echo(note, err=True)
    return code


def _code(checked: list[Checked], *, every: bool) -> int:
    if every:
        bad = any(one.regressed for one in checked)
        return 1 if bad else 3 if any(one.unknown for one in checked) else 0
    held = [str(one.proven.held) if one.proven else "unknown" for one in checked]
    wrong = any(one.regressed for one in checked)
    return 1 if "red" in held or wrong else 3 if "unknown" in held else 0


def _line(one: Checked) -> str:
    name = one.standing.name
    if one.proven is None:
        proof = one.standing.followup.action.proof
        why = "has no proof" if proof is None else f"is shown {proof.when}, so not asked"
        return f"–        {name}: {why}"
    run = one.proven.green or one.proven.red
    network = ""
    if run is not None and run.network.startswith("open:"):
        network = f" (its network could not be closed: {run.network[6:]})"
    red = f", seen red (exit {one.proven.red.exit})" if one.proven.red else ""
    why = f": {one.proven.why}" if one.proven.why else ""
    problem = f"; {one.standing.problem}" if one.standing.problem else ""
    left = f"; {run.left} processes left behind, ended" if run is not None and run.left else ""
    word = {"holds": "holds  ", "red": "FAILS  ", "unknown": "UNKNOWN"}[str(one.proven.held)]
    return f"{word}  {name}{red}{why}{problem}{left}{network}"
