"""``truegreen watch``: parses, looks on, prints."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from truegreen.cli.interruption import sigterm_interrupts
from truegreen.cli.options import filled, folder_argument, target_options
from truegreen.cli.withheld import read_config
from truegreen.errors import UsageError
from truegreen.secret import resolve


@click.command()
@folder_argument
@target_options
@click.option(
    "--app", callback=filled, metavar="NAME", help="App to watch instead of the configured."
)
@click.option("--all", "every_app", is_flag=True, help="Every app that the token may see.")
@click.option(
    "--for", "seconds", type=click.FloatRange(min=0.1), metavar="SECONDS",
    help="Stop then (default: at Ctrl-C).",
)  # fmt: skip
@click.option(
    "--every", type=click.FloatRange(min=0.1), default=10.0, show_default=True,
    metavar="SECONDS", help="Between two looks at one app, at least.",
)  # fmt: skip
@click.option(
    "--calls", type=click.IntRange(min=1), default=3600, show_default=True,
    metavar="N", help="API calls an hour, of all watches with this token together.",
)  # fmt: skip
@click.option(
    "--hints", "hints_port", type=click.IntRange(0, 65535), metavar="PORT",
    help="Take webhooks on 127.0.0.1:PORT as hints (0: a free port).",
)  # fmt: skip
@click.option(
    "--hints-secret", metavar="REFERENCE", default="",
    help="Their secret: env:NAME, file:PATH.",
)  # fmt: skip
def command(
    folder: Path,
    env_name: str | None,
    platform: str | None,
    as_json: bool,
    quiet: bool,
    app: str | None,
    every_app: bool,
    seconds: float | None,
    every: float,
    calls: int,
    hints_port: int | None,
    hints_secret: str,
) -> int:
    """Look on after green: later failed releases, stuck ones, crashed dynos, drift.

    A change is told when it begins and when it is gone, and kept in the ledger. Watches that
    share a token and a ledger share a budget of calls, and with --all divide the apps.

    \b
    Exits 0 when nothing changed, 1 when something did, 3 when it could not look.

    \b
    Example:  truegreen watch examples/raptor --for 600
    """
    from truegreen.ledger import Ledger
    from truegreen.outputs.json_document import print_document
    from truegreen.ship.target import choose_environment, find_target
    from truegreen.state import locate
    from truegreen.watch.budget import Terms
    from truegreen.watch.run import look_on
    from truegreen.watch.shared_budget import budget_key
    from truegreen.watch.together import Together, lasting

    config = read_config(folder)
    if (hints_port is None) != (not hints_secret):
        raise UsageError("webhooks are taken only with both --hints and --hints-secret")
    hints = (
        (hints_port, resolve(hints_secret, what="--hints-secret"))
        if hints_port is not None
        else None
    )
    environment = choose_environment(config, env_name)
    target = find_target(config, environment, platform, start=False)

    def say(line: str) -> None:
        if not quiet:
            click.echo(line, err=as_json)

    where = locate(config.root)
    with (
        sigterm_interrupts(),
        closing(lasting(where)) as shared,
        Ledger.lasting(where) as ledger,
        target.client(patience=10.0) as client,
    ):
        together = Together(
            shared,
            budget_key(target.api, target.token),
            Terms.within(calls),
            every_app=every_app,
            clock=time.monotonic,
        )
        watched: Any = look_on(
            client,
            None if every_app else [app or target.app],
            ledger=ledger,
            seconds=seconds,
            every=every,
            calls_per_hour=calls,
            say=say,
            clock=time.monotonic,
            sleep=time.sleep,
            hints=hints,
            together=together,
        )
    if as_json:
        print_document(watched.as_json())
    return int(watched.exit_code)
