"""The command line: one verb a file; each parses, calls, prints. No logic lives here.

``main`` is the console script. Verbs are imported only when they are called, so that
``truegreen release`` on a dyno never loads what only a pipeline needs.
"""

from __future__ import annotations

import gc
import importlib
import io
import os
import sys

import click

from truegreen.cli.exits import run

# verb -> what it does, in a line. Each is the command of the module of its name; the lines stand
# here so that help need not import twenty modules to list them.
VERBS = {
    "action": "follow-ups of incidents, and the proofs that they are done",
    "board": "the record as web pages, live",
    "doctor": "what in a repository will go wrong at a release",
    "dora": "how often, how fast, how often wrong: out of the ledger",
    "drill": "put a fault in, and show that its check reports it",
    "flags": "the declared flags against an app's config vars",
    "freeze": "when nothing is shipped: now, next, as a calendar",
    "gate": "ask what must hold before anything is changed",
    "guard": "the origin guard: its networks, and whether it holds",
    "hermetic": "what a test suite depends on besides its own code",
    "incident": "reviews, drafted from evidence and checked",
    "init": "from an existing repository to a verified deploy",
    "ledger": "the record of what was shipped and verified",
    "mcp": "the questions of an agent on call, as a server",
    "notify": "who is told when a verdict changes: test, retry",
    "platform": "the embedded platform: serve, stop, status, faults",
    "rehearse": "the release command with production's config vars",
    "release": "the release command itself, for the Procfile",
    "releases": "an app's releases: status, commit, which is current",
    "retry": "a failed release's slug once more",
    "rollback": "back to an earlier release, after asking first",
    "scan": "personal data and secrets in what would be shipped",
    "ship": "ship this folder, and say what is true",
    "smoke": "the smoke suite in its seal, here",
    "verify": "ask again what is true, and change nothing",
    "watch": "look on after green: failed releases, crashes, drift",
}


class LazyVerbs(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        loaded = importlib.import_module(f"truegreen.cli.{cmd_name}")
        command: click.Command = loaded.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(VERBS.items()))


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
    collect_less()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() != "utf-8":
            stream.reconfigure(errors="replace")  # no verdict is lost for want of a character
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from truegreen.outputs.action_log import guard_streams

        guard_streams()
    run(root)


def collect_less() -> None:
    """Looks for garbage in cycles after 10,000 new objects instead of 700: while a verb is imported
    there is none, and looking 69 times is a fifteenth of what ``verify`` takes to start."""
    gc.set_threshold(10_000, *gc.get_threshold()[1:])
