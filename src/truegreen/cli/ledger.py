"""``truegreen ledger``: shows the record and checks its chain."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from truegreen.cli.options import folder_argument, json_option
from truegreen.errors import UsageError

if TYPE_CHECKING:
    from truegreen.state import Location


@click.group()
def command() -> None:
    """The record of what was shipped and verified.

    \b
    Example:  truegreen ledger verify examples/raptor
    """


@command.command("list")
@folder_argument
@json_option
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
def list_(folder: Path, as_json: bool, limit: int) -> int:
    """List the newest records."""
    from truegreen.ledger import Ledger
    from truegreen.model import stamp
    from truegreen.outputs.json_document import print_document

    with Ledger.open(_existing(folder)) as ledger:
        records = list(ledger.records(newest_first=True, limit=limit))
    told = [
        {
            "id": record.id,
            "at": stamp(record.at),
            "kind": record.kind,
            "app": record.app,
            "commit": record.commit,
            "verdict": record.verdict,
            "sentence": record.sentence,
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


_EXPECT = click.option(
    "--expect",
    metavar="HASH",
    multiple=True,
    help="A record's hash that was kept elsewhere, and must be in the chain. Repeatable.",
)


@command.command()
@folder_argument
@json_option
@_EXPECT
@click.option(
    "--file",
    "export",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An export to walk, instead of the ledger.",
)
def verify(folder: Path, as_json: bool, expect: tuple[str, ...], export: Path | None) -> int:
    """Walk the chain; exits 1 when a record was changed, removed or cut off.

    \b
    Example:  truegreen ledger verify examples/raptor
    """
    from truegreen.ledger import Ledger
    from truegreen.ledger.exports import verify_export
    from truegreen.outputs.json_document import print_document

    if export is not None:
        found = verify_export(export, expect)
    else:
        with Ledger.open(_existing(folder)) as ledger:
            found = ledger.verify(expect)
    if as_json:
        told = [{"id": one.id, "problem": one.problem} for one in found.breaks]
        print_document(
            {"records": found.records, "holds": found.holds, "head": found.head, "breaks": told}
        )
    elif found.holds:
        click.echo(f"the chain holds: {found.records} records, head {found.head}")
    else:
        for one in found.breaks:
            click.echo(f"record {one.id} {one.problem}")
    return 0 if found.holds else 1


command.add_command(verify, "check")  # as it was called first


@command.command()
@folder_argument
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: stdout.")
def export(folder: Path, out: Path | None) -> int:
    """Write every record as one line of JSON, oldest first; `verify --file` walks it.

    \b
    Example:  truegreen ledger export --out ledger.jsonl
    """
    from truegreen.ledger import Ledger
    from truegreen.ledger.exports import lines

    with Ledger.open(_existing(folder)) as ledger:
        found = ledger.verify()
        told = lines(ledger.records())
        if out is None:
            for line in told:
                click.echo(line)
        else:
            _write(out, told)
    click.echo(f"{found.records} records, head {found.head}", err=True)
    if not found.holds:
        click.echo("the chain does not hold: truegreen ledger verify", err=True)
    return 0 if found.holds else 1


def _write(out: Path, lines: Iterable[str]) -> None:
    fresh = out.with_name(out.name + ".new")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        fresh.replace(out)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error


def _existing(folder: Path) -> Location:
    from truegreen.ledger import Ledger
    from truegreen.state import locate

    where = locate(folder.resolve())
    if not Ledger.begun(where):
        raise UsageError(f"{folder} has no ledger yet", hint="truegreen ship writes it")
    return where
