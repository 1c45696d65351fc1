"""``truegreen ship``: parses, calls ship/pipeline.py, prints."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType

import click

from truegreen.cli.options import folder_argument, target_options
from truegreen.config import load_config


@click.command()
@folder_argument
@target_options
@click.option("--no-gates", is_flag=True, help="Ask no gate first (the record says so).")
def command(
    folder: Path,
    env_name: str | None,
    platform: str | None,
    as_json: bool,
    quiet: bool,
    no_gates: bool,
) -> int:
    """Ship the service in DIR at its committed HEAD, and say what is true afterwards.

    \b
    Exits 0 only when green; 1 red, 3 unverified, 4 refused by a gate,
    5 interrupted after something was changed.

    \b
    Example:  truegreen ship examples/raptor --env production
    """
    from truegreen.ledger import Ledger
    from truegreen.outputs.json_document import print_document
    from truegreen.outputs.live import LiveView
    from truegreen.outputs.table import print_verification, stdout_console
    from truegreen.ship.pipeline import GATES, ship
    from truegreen.ship.source import read_source
    from truegreen.ship.target import choose_environment, find_target

    signal.signal(signal.SIGTERM, _as_interrupt)
    config = load_config(folder)
    environment = choose_environment(config, env_name)
    source = read_source(folder.resolve())
    if source.uncommitted and not quiet:
        shown = ", ".join(source.uncommitted[:5])
        more = f" and {len(source.uncommitted) - 5} more" if len(source.uncommitted) > 5 else ""
        click.echo(
            f"shipping {source.commit[:8]}; not committed, so left out: {shown}{more}", err=True
        )
    with (
        Ledger.open(config.root / ".truegreen" / "ledger.sqlite3") as ledger,
        LiveView(quiet=quiet) as view,
    ):
        shipped = ship(
            config,
            source,
            lambda: find_target(config, environment, platform, start=True),
            view,
            ledger=ledger,
            gates=() if no_gates else GATES,
        )
    if as_json:
        print_document(shipped.document)
    elif not quiet:
        print_verification(shipped.document, stdout_console())
    return shipped.verdict.exit_code


def _as_interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
