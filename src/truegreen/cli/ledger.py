"""``truegreen ledger``: shows the record and checks its chain."""

from __future__ import annotations

from pathlib import Path

import click

from truegreen.cli.options import folder_argument, json_option
from truegreen.errors import UsageError


@click.group()
def command() -> None:
    """The record of what was shipped and verified.

    \b
    Example:  truegreen ledger check examples/raptor
    """


@command.command("list")
@folder_argument
@json_option
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
def list_(folder: Path, as_json: bool, limit: int) -> int:
    """List the newest records."""
    from itertools import islice

    from truegreen.ledger import Ledger
    from truegreen.model import stamp
    from truegreen.outputs.json_document import print_document

    with Ledger.open(_existing(folder)) as ledger:
        records = list(islice(ledger.records(newest_first=True), limit))
    told = [
        {
            "id": record.id,
            "at": stamp(record.at),
            "kind": record.kind,
            "app": record.app,
            "commit": record.commit,
            "verdict": record.verdict,
            "sentence": record.body.get("sentence", ""),
            "hash": record.hash,
        }
        for record in records
    ]
    if as_json:
        print_document(told)
    else:
        for one in told:
            click.echo(
                f"{one['id']:>4}  {one['at']}  {one['kind']:<7} {one['verdict'] or '-':<10}"
                f" {one['sentence']}"
            )
    return 0


@command.command()
@folder_argument
@json_option
def check(folder: Path, as_json: bool) -> int:
    """Walk the chain; exits 1 when a record was changed or removed."""
    from truegreen.ledger import Ledger
    from truegreen.outputs.json_document import print_document

    with Ledger.open(_existing(folder)) as ledger:
        count = sum(1 for _ in ledger.records())
        breaks = ledger.check()
    if as_json:
        told = [{"id": one.id, "problem": one.problem} for one in breaks]
        print_document({"records": count, "holds": not breaks, "breaks": told})
    elif breaks:
        for one in breaks:
            click.echo(f"record {one.id} {one.problem}")
    else:
        click.echo(f"the chain holds: {count} records")
    return 1 if breaks else 0


def _existing(folder: Path) -> Path:
    path = folder / ".truegreen" / "ledger.sqlite3"
    if not path.is_file():
        raise UsageError(f"{folder} has no ledger yet", hint="truegreen ship writes it")
    return path
