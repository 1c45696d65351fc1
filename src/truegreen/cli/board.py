"""``truegreen board``: parses, serves."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import click

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
def command(folder: Path, port: int, listen: str, names: tuple[str, ...], hints_secret: str) -> int:
    """The record as web pages, until Ctrl-C. Read-only; every page is JSON too.

    \b
    Example:  truegreen board examples/raptor
    """
    from truegreen.board import Sources
    from truegreen.board.serve import serve

    try:
        address = ipaddress.ip_address(listen)
    except ValueError:
        raise UsageError(
            f"{listen!r} is no address", hint="127.0.0.1, or one of this machine's own"
        ) from None
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
    serve(
        Sources(config),
        host=listen,
        port=port,
        names=names,
        annexes=annexes,
        ready=lambda url: click.echo(url, err=True),
    )
    return 0
