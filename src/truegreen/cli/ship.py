"""``truegreen ship``: parses, calls workers/carrying.py (a queue: ship_queue.py), prints."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from truegreen.cli.interruption import sigterm_interrupts
from truegreen.cli.moment import moment_option
from truegreen.cli.options import again, folder_argument, given_reason, target_options
from truegreen.cli.ship_queue import (
    check_together,
    enqueue,
    follow_job,
    order_of,
    queue_options,
    withdraw_job,
)
from truegreen.cli.telling import Telling, output_option, tell_end
from truegreen.cli.withheld import read_config

if TYPE_CHECKING:
    from collections.abc import Iterable

    from truegreen.outputs.live import LiveView


@click.command()
@folder_argument
@target_options
@output_option
@click.option("--no-gates", is_flag=True, help="Ask no gate first (the record says so).")
@click.option(
    "--override",
    "overrides",
    metavar="GATE",
    multiple=True,
    help="Pass GATE although it is shut; takes --reason, --ticket and --until.",
)
@click.option(
    "--reason", metavar="TEXT", default="", help="Why the gate is overridden, or the job withdrawn."
)
@click.option("--ticket", metavar="ID", default="", help="Where that was decided.")
@moment_option("--until", help="When the override ends, e.g. 2026-12-24T18:00:00+01:00.")
@click.option("--wait", is_flag=True, help="Queue while somebody else ships this app.")
@click.option(
    "--wait-at-most",
    metavar="SECONDS",
    type=click.FloatRange(min=0, max=86_400),
    help="Queue for this long at most; --wait alone: an hour.",
)
@click.option(
    "--allow-rewind",
    metavar="REASON",
    callback=given_reason,
    help="Ship over code that this commit does not contain; the record says why.",
)
@queue_options
def command(
    folder: Path,
    env_name: str | None,
    platform: str | None,
    as_json: bool,
    quiet: bool,
    outputs: tuple[str, ...],
    no_gates: bool,
    overrides: tuple[str, ...],
    reason: str,
    ticket: str,
    until: datetime | None,
    wait: bool,
    wait_at_most: float | None,
    allow_rewind: str,
    queued: bool,
    no_follow: bool,
    number: int | None,
    withdrawn: int | None,
    stop: bool,
    repository: str | None,
) -> int:
    """Ship the service in DIR at its committed HEAD, and say what is true afterwards.

    \b
    Exits 0 only when green; 1 red, 3 unverified, 4 refused (a gate, somebody
    else's lease, code that would be taken back), 5 interrupted after something was changed.

    \b
    With --enqueue a worker ships it (truegreen board --worker), and this follows
    to the same end; Ctrl-C then ends the following, not the ship.

    \b
    Example:  truegreen ship examples/raptor --env production
    """
    from truegreen.gates.override import given
    from truegreen.outputs.formats import parse_outputs
    from truegreen.ship.environments import choose_environment
    from truegreen.ship.overriding import actor
    from truegreen.ship.source import read_source
    from truegreen.state import locate
    from truegreen.workers.carrying import carry_out, gates_of
    from truegreen.workers.order import AN_HOUR, Options

    check_together(queued, no_follow, number, repository, withdrawn, stop)
    files = parse_outputs(outputs)
    config = read_config(folder)
    environment = choose_environment(config, env_name)
    location = locate(config.root)
    telling = Telling(as_json, quiet, files)
    if withdrawn is not None:
        return withdraw_job(withdrawn, reason, environment, location, telling, stop=stop)
    if number is not None:
        return follow_job(number, config, environment, location, telling, wait_at_most)
    source = read_source(folder.resolve())
    allowed = given(
        overrides,
        () if no_gates else gates_of(config),
        app=environment.app,
        commit=source.commit,
        reason=reason,
        ticket=ticket,
        until=until,
        by=actor(),
        now=datetime.now(UTC),
    )
    patience = wait_at_most if wait_at_most is not None else AN_HOUR if wait else None
    options = Options(platform, not no_gates, allowed, patience, allow_rewind)
    if source.uncommitted and not quiet:
        _tell_left_out(source.commit, source.uncommitted)
    if queued:
        order = order_of(options, environment, source, repository)
        number = enqueue(order, location, telling, follow=not no_follow)
        if no_follow:
            return 0
        return follow_job(number, config, environment, location, telling, wait_at_most)

    def view() -> LiveView:
        from truegreen.outputs.live import LiveView

        return LiveView(quiet=quiet)

    def tell_wave(lines: Iterable[str]) -> None:
        for line in () if quiet else lines:
            click.echo(line, err=True)

    with sigterm_interrupts():
        shipped = carry_out(
            options, config, source, env_name, location,
            watch=view, command=again("ship", env_name), tell_wave=tell_wave,
        )  # fmt: skip
    # The live view is gone by now: it must not draw over the verdict.
    tell_end("ship", shipped.document, config, environment, location, telling)
    return shipped.verdict.exit_code


def _tell_left_out(commit: str, paths: tuple[str, ...]) -> None:
    shown = ", ".join(paths[:5])
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    click.echo(f"shipping {commit[:8]}; not committed, so left out: {shown}{more}", err=True)
