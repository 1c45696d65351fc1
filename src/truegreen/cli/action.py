"""``truegreen action``: the group; its verbs stand in files of their own."""

from __future__ import annotations

import click

from truegreen.cli.action_change import close_command, reopen_command, waive_command
from truegreen.cli.action_check import check_command, list_command
from truegreen.cli.action_sync import sync_command


@click.group()
def command() -> None:
    """Follow-ups of incidents: what is open, and the proofs that close them.

    \b
    Example:  truegreen action check --all --dir examples/raptor
    """


for _one in (
    list_command,
    check_command,
    close_command,
    reopen_command,
    waive_command,
    sync_command,
):
    command.add_command(_one)
