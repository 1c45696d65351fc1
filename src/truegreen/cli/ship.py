"""``truegreen ship``: parses, calls ship/pipeline.py, prints."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from truegreen.cli.interruption import sigterm_interrupts
from truegreen.cli.moment import moment_option
from truegreen.cli.options import again, folder_argument, target_options
from truegreen.cli.telling import output_option, tell
from truegreen.config import load_config

_AN_HOUR = 3600.0


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
@click.option("--reason", metavar="TEXT", default="", help="Why the gate is overridden.")
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
    default="",
    help="Ship over code that this commit does not contain; the record says why.",
)
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
) -> int:
    """Ship the service in DIR at its committed HEAD, and say what is true afterwards.

    \b
    Exits 0 only when green; 1 red, 3 unverified, 4 refused (a gate, somebody
    else's lease, code that would be taken back), 5 interrupted after something was changed.

    \b
    Example:  truegreen ship examples/raptor --env production
    """
    from concurrent.futures import ThreadPoolExecutor

    from truegreen.gates.override import given
    from truegreen.gates.run import asked_by_ship
    from truegreen.incidents.every_gate import GATES
    from truegreen.outputs.formats import parse_outputs
    from truegreen.ship.asking import question_of
    from truegreen.ship.background import EngineInBackground
    from truegreen.ship.environments import choose_environment
    from truegreen.ship.gating import Asked, ask_gates
    from truegreen.ship.overriding import actor
    from truegreen.ship.source import read_source
    from truegreen.ship.target import withhold_secrets
    from truegreen.state import locate

    files = parse_outputs(outputs)
    config = load_config(folder)
    withhold_secrets(config)
    environment = choose_environment(config, env_name)
    source = read_source(folder.resolve())
    question = question_of(config, environment, platform=platform, commit=source.commit, start=True)
    names = asked_by_ship(config, GATES)
    allowed = given(
        overrides,
        () if no_gates else names,
        app=environment.app,
        commit=source.commit,
        reason=reason,
        ticket=ticket,
        until=until,
        by=actor(),
        now=question.now,
    )
    location = locate(config.root)
    # The gates are asked, and the engine is started, while the rest is imported: one of the gates
    # waits for another process, and the engine's import is what takes longest.
    with (
        sigterm_interrupts(),
        ThreadPoolExecutor(max_workers=1) as pool,
        EngineInBackground(location) as engine,
    ):
        asked = None if no_gates else pool.submit(ask_gates, names, question, GATES, allowed)

        def answers() -> Asked:
            assert asked is not None
            told = asked.result()
            if not quiet:
                for line in lines(told.wave.as_json()):
                    click.echo(line, err=True)
            return told

        from truegreen.ledger import Ledger
        from truegreen.outputs.live import LiveView
        from truegreen.outputs.wave_text import lines
        from truegreen.ship.broadcast import Broadcast
        from truegreen.ship.lease import lease_of
        from truegreen.ship.leases import Leases
        from truegreen.ship.pipeline import Guards, ship
        from truegreen.ship.target import find_target
        from truegreen.ship.underway import UnderwayRuns

        patience = wait_at_most if wait_at_most is not None else _AN_HOUR if wait else None

        if source.uncommitted and not quiet:
            _tell_left_out(source.commit, source.uncommitted)
        with (
            Ledger.open(location) as ledger,
            LiveView(quiet=quiet) as view,
        ):
            broadcast = Broadcast(
                view,
                lambda: UnderwayRuns.open(location),
                kind="ship",
                commit=source.commit,
                command=again("ship", env_name),
                head=ledger.head,
            )
            shipped = ship(
                config,
                source,
                lambda: find_target(config, environment, platform, start=True),
                broadcast,
                ledger=ledger,
                guards=Guards(
                    gates=answers if asked else None,
                    engine=engine.get,
                    lease=lambda app, tell: broadcast.under(
                        lease_of(
                            lambda: Leases.open(location),
                            app,
                            source.commit,
                            wait=patience,
                            tell=tell,
                        )
                    ),
                    allow_rewind=allow_rewind.strip(),
                ),
            )
    # The live view is gone by now: it must not draw over the verdict.
    with Ledger.open(locate(config.root)) as ledger:
        tell(
            "ship",
            shipped.document,
            config,
            environment,
            ledger,
            as_json=as_json,
            quiet=quiet,
            outputs=files,
        )
    if shipped.verdict == "red":
        from truegreen.incidents.drafting.after_red import after_red

        said = after_red(config, location, shipped.document["app"])
        if said and not quiet:
            click.echo(said, err=True)
    return shipped.verdict.exit_code


def _tell_left_out(commit: str, paths: tuple[str, ...]) -> None:
    shown = ", ".join(paths[:5])
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    click.echo(f"shipping {commit[:8]}; not committed, so left out: {shown}{more}", err=True)
