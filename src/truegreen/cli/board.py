"""``truegreen board``: parses, serves; with ``--worker``, works."""

from __future__ import annotations

from pathlib import Path

import click

from truegreen.address import parsed
from truegreen.cli.options import folder_argument
from truegreen.config import load_config
from truegreen.errors import UsageError
from truegreen.secret import resolve


@click.command()
@folder_argument
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8377, show_default=True, help="0: any."
)
@click.option(
    "--listen",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Other addresses show the board to whoever reaches them.",
)
@click.option(
    "--host-name",
    "names",
    multiple=True,
    metavar="NAME",
    help="A name that browsers may call it by, besides localhost.",
)
@click.option(
    "--hints-secret", metavar="REFERENCE", default="",
    help="Take webhooks at /hints as hints for watches; their secret: env:NAME, file:PATH.",
)  # fmt: skip
@click.option(
    "--actions",
    "actors",
    metavar="NAME=REFERENCE",
    multiple=True,
    help="Let NAME start verify, retry, rollback and a test message with a token of their own.",
)
@click.option(
    "--worker",
    "works",
    is_flag=True,
    help="Serve no pages: ship what runners enqueue, until Ctrl-C.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="With --worker: ships at once, each of another app.",
)
@click.option(
    "--only",
    metavar="GLOB",
    multiple=True,
    help="With --worker: the repositories that it ships; default: all.",
)
@click.option(
    "--grace",
    metavar="SECONDS",
    type=click.FloatRange(0, 3600),
    default=60.0,
    show_default=True,
    help="With --worker: what ships have to end when it is told to stop; then they are handed on.",
)
def command(
    folder: Path,
    port: int,
    listen: str,
    names: tuple[str, ...],
    hints_secret: str,
    actors: tuple[str, ...],
    works: bool,
    jobs: int,
    only: tuple[str, ...],
    grace: float,
) -> int:
    """The record as web pages, until Ctrl-C; every page is JSON too.

    Read-only, unless --actions says who may act.

    \b
    Example:  truegreen board examples/raptor

    \b
    With --worker: what truegreen ship --enqueue has written into the shared
    Postgres is shipped here; DIR holds its copies of the repositories.
    """
    if works:
        return _work(folder, jobs, only, grace)
    from truegreen.board import Sources
    from truegreen.board.serve import serve

    address = parsed(listen.partition("%")[0])
    if address is None:
        raise UsageError(
            f"{listen!r} is no address", hint="127.0.0.1, or one of this machine's own"
        )
    if not address.is_loopback:
        click.echo(
            f"the board asks nobody who they are: whoever reaches {listen} can read it", err=True
        )
        names = names if address.is_unspecified else (*names, listen)
    config = load_config(folder)
    annexes = []
    if hints_secret:
        from truegreen.board.hints import hint_door

        annexes.append(hint_door(resolve(hints_secret, what="--hints-secret"), config))
    sources = Sources(config)
    if actors:
        from truegreen.board.actions import Tokens, actions_annex

        annexes.append(actions_annex(sources, Tokens.of(actors)))
    serve(
        sources,
        host=listen,
        port=port,
        names=names,
        annexes=annexes,
        ready=lambda url: click.echo(url, err=True),
    )
    return 0


def _work(folder: Path, jobs: int, only: tuple[str, ...], grace: float) -> int:
    from truegreen.state import locate
    from truegreen.workers.child import get_ready
    from truegreen.workers.worker import Worker, stopped_by_signals

    get_ready()
    worker = Worker(
        locate(folder.resolve()), slots=jobs, only=only, grace=grace,
        tell=lambda text: click.echo(text, err=True),
    )  # fmt: skip
    with stopped_by_signals(worker):
        worker.run()
    return 0
