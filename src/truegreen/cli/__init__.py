"""The command line: one verb a file; each parses, calls, prints. No logic lives here.

``main`` is the console script. Verbs are imported only when they are called, so that
``truegreen release`` on a dyno never loads what only a pipeline needs.
"""

from __future__ import annotations

import importlib

import click

from truegreen.cli.exits import run

# verb -> the module of truegreen.cli that holds a click command named `command`
VERBS = {
    "action": "action",
    "doctor": "doctor",
    "drill": "drill",
    "flags": "flags",
    "freeze": "freeze",
    "gate": "gate",
    "guard": "guard",
    "hermetic": "hermetic",
    "incident": "incident",
    "ledger": "ledger",
    "platform": "platform",
    "rehearse": "rehearse",
    "release": "release",
    "releases": "releases",
    "retry": "retry",
    "rollback": "rollback",
    "scan": "scan",
    "ship": "ship",
    "smoke": "smoke",
    "verify": "verify",
}


class LazyVerbs(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = VERBS.get(cmd_name)
        if module is None:
            return None
        loaded = importlib.import_module(f"truegreen.cli.{module}")
        command: click.Command = loaded.command
        return command


@click.command(cls=LazyVerbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="truegreen", prog_name="truegreen")
def root() -> None:
    """A deploy is green only when it is true.

    \b
    truegreen ship                 ship this folder, and say what is true
    truegreen verify               ask again, change nothing
    truegreen drill run --all      show that each check still catches its fault
    """


def main() -> None:
    """The console script: runs the command line and exits with the contract's codes."""
    run(root)
