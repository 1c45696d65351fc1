"""``truegreen action sync``: parses, calls incidents/actions/issues.py, prints."""

from __future__ import annotations

from pathlib import Path

import click

from truegreen.cli.action_check import base_option
from truegreen.cli.options import dir_option, json_option, quiet_option
from truegreen.cli.withheld import read_config
from truegreen.errors import UsageError

API = "https://api.github.com"


@click.command("sync")
@click.option("--api", default=API, show_default=True, metavar="URL", help="GitHub's REST API.")
@click.option(
    "--token", default="env:GITHUB_TOKEN", show_default=True, metavar="REF", help="A reference."
)
@click.option("--plan", is_flag=True, help="Say what would be done, and change nothing.")
@dir_option
@base_option
@json_option
@quiet_option
def sync_command(
    api: str,
    token: str,
    plan: bool,
    folder: Path,
    base: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Keep GitHub's issues in step with the follow-ups (incidents.issues names the repository).

    The reviews lead: an issue that was closed by hand while its follow-up is open is opened again,
    because closing an issue is no proof. Running it twice changes nothing the second time.

    \b
    Example:  truegreen action sync --plan
    """
    from truegreen.incidents.actions.desk import open_desk
    from truegreen.incidents.actions.issues import GitHub, steps
    from truegreen.outputs.json_document import print_document
    from truegreen.secret import resolve

    config = read_config(folder)
    if not config.incidents.issues:
        raise UsageError("no repository is configured", hint='[incidents] issues = "OWNER/NAME"')
    secret = resolve(token, what="--token")
    with open_desk(config, base=base) as desk:
        standings = desk.standings()
    with GitHub(config.incidents.issues, secret, api=api) as github:
        wanted = steps(standings, github.issues())
        for step in wanted:
            if not quiet and not as_json:
                click.echo(f"{step.verb:<7} {step.name}: {step.why}")
            if not plan:
                github.do(step)
    if as_json:
        print_document(
            {
                "repository": config.incidents.issues,
                "done": not plan,
                "steps": [one.as_json() for one in wanted],
            }
        )
    elif not wanted and not quiet:
        click.echo("in step: nothing to do")
    return 0
