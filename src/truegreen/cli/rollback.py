"""``truegreen rollback``: parses, calls ship/rollback.py, prints."""

from __future__ import annotations

from pathlib import Path

import click

from truegreen.cli.interruption import sigterm_interrupts
from truegreen.cli.options import again, folder_argument, release_version, target_options
from truegreen.cli.telling import Telling, output_option, tell_end
from truegreen.config import load_config


@click.command()
@folder_argument
@target_options
@output_option
@click.option(
    "--to", "to_name", metavar="vN", help="Release to go back to (default: the one before)."
)
@click.option("--plan", "only_plan", is_flag=True, help="Say what would happen; change nothing.")
@click.option("--anyway", default="", metavar="REASON", help="Go although a question fails.")
def command(
    folder: Path,
    env_name: str | None,
    platform: str | None,
    as_json: bool,
    quiet: bool,
    outputs: tuple[str, ...],
    to_name: str | None,
    only_plan: bool,
    anyway: str,
) -> int:
    """Go back to an earlier release, after asking whether it would survive.

    Asked first: does the platform keep it, does its code know the schema, would its release
    command survive, do its flags parse. Then it is verified like any deploy.

    \b
    Exits 0 green, 1 red, 3 unverified, 4 refused (nothing was changed).

    \b
    Example:  truegreen rollback examples/raptor --plan
    """
    from contextlib import nullcontext

    from truegreen.ledger import Ledger
    from truegreen.outputs.formats import parse_outputs
    from truegreen.outputs.json_document import print_document
    from truegreen.outputs.live import LiveView
    from truegreen.ship.broadcast import Broadcast
    from truegreen.ship.ended import interruption_after_the_end
    from truegreen.ship.lease import lease_of
    from truegreen.ship.leases import Leases
    from truegreen.ship.pipeline import lease_key
    from truegreen.ship.rollback import PATIENCE, plan, roll_back, told_plan
    from truegreen.ship.target import choose_environment, find_target, withhold_secrets
    from truegreen.ship.underway import UnderwayRuns
    from truegreen.state import locate

    config = load_config(folder)
    withhold_secrets(config)
    location = locate(config.root)
    version = release_version(to_name)
    files = parse_outputs(outputs)
    environment = choose_environment(config, env_name)
    target = find_target(config, environment, platform, start=False)
    if only_plan:
        with target.client(patience=PATIENCE) as client:
            found = plan(config, target, client, version)
        if as_json:
            print_document(found.as_json())
        elif not quiet:
            click.echo("\n".join(told_plan(found)))
        return found.exit_code
    with (
        interruption_after_the_end() as ended,
        sigterm_interrupts(),
        Ledger.open(location) as ledger,
        LiveView(quiet=quiet) as view,
    ):
        broadcast = Broadcast(
            view,
            lambda: UnderwayRuns.open(location),
            kind="rollback",
            command=again("verify", env_name),
            head=ledger.head,
        )
        lease = lease_of(lambda: Leases.open(location), lease_key(target), "rollback")
        # A lock never stops a rollback that somebody insists on.
        with nullcontext() if anyway else broadcast.under(lease):
            back = roll_back(
                config, target, version, anyway=anyway, ledger=ledger, watcher=broadcast
            )
        ended(str(back.verdict))
    telling = Telling(as_json, quiet, files)
    tell_end("rollback", back.document, config, environment, location, telling)
    return back.verdict.exit_code
