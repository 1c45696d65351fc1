"""``truegreen notify``: a test message, what was not delivered, and sending it again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from truegreen.cli.options import folder_argument, json_option, quiet_option
from truegreen.errors import UsageError

if TYPE_CHECKING:
    from truegreen.config import Config
    from truegreen.notify.outbox import Letter, Outbox


@click.group()
def command() -> None:
    """Who is told when a verdict changes: [notify] of truegreen.toml.

    \b
    Example:  truegreen notify test examples/raptor
    """


@command.command()
@folder_argument
@json_option
@quiet_option
def test(folder: Path, as_json: bool, quiet: bool) -> int:
    """Send everybody a test message now, whatever the verdict is.

    \b
    Exits 0 when everybody took it, 1 when somebody did not.

    \b
    Example:  truegreen notify test
    """
    from datetime import UTC, datetime

    from truegreen.model import stamp
    from truegreen.notify.deliver import places
    from truegreen.notify.message import trial
    from truegreen.notify.outbox import Letter

    config, outbox = _service(folder)
    told = trial(config.name, stamp(datetime.now(UTC)))
    letters = [Letter(name, told, "was not sent yet") for name in places(config.notify)]
    if not letters:
        raise UsageError("[notify] names nobody", hint="docs/notify.md says how")
    code = _send(letters, config, outbox, as_json=as_json, quiet=quiet)
    for one in letters:  # a test that failed is not worth keeping
        outbox.drop(one)
    return code


@command.command()
@folder_argument
@json_option
def dead(folder: Path, as_json: bool) -> int:
    """List what was not delivered, and why.

    \b
    Example:  truegreen notify dead --json
    """
    from truegreen.outputs.json_document import print_document

    _, outbox = _service(folder)
    letters = [one.as_json() for one in outbox.letters()]
    if as_json:
        print_document(letters)
    for one in () if as_json else letters:
        click.echo(f"{one['at']}  {one['app']} {one['verdict']}  {one['place']}: {one['why']}")
    return 0


@command.command()
@folder_argument
@json_option
@quiet_option
def retry(folder: Path, as_json: bool, quiet: bool) -> int:
    """Send again what was not delivered.

    \b
    Exits 0 when nothing is left, 1 when something is.

    \b
    Example:  truegreen notify retry
    """
    config, outbox = _service(folder)
    letters = list(outbox.letters())
    return _send(letters, config, outbox, as_json=as_json, quiet=quiet)


def _service(folder: Path) -> tuple[Config, Outbox]:
    from truegreen.config import load_config
    from truegreen.notify.outbox import Outbox
    from truegreen.state import locate

    config = load_config(folder)
    return config, Outbox.of(locate(config.root))


def _send(
    letters: list[Letter], config: Config, outbox: Outbox, *, as_json: bool, quiet: bool
) -> int:
    from truegreen.notify.deliver import deliver
    from truegreen.outputs.json_document import print_document

    became = deliver(letters, config.notify, outbox)
    kept = [one for one in became if one.why]
    if as_json:
        taken = [one.as_json() for one in became if not one.why]
        print_document({"delivered": taken, "kept": [one.as_json() for one in kept]})
    elif not quiet:
        for one in became:
            click.echo(f"{one.place}: {one.why or 'delivered'}")
    return 1 if kept else 0
