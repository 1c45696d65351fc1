"""``truegreen incident``: parses, calls incidents/, prints or writes."""

from __future__ import annotations

from pathlib import Path

import click

from truegreen.cli.options import folder_argument, json_option, quiet_option
from truegreen.config import load_config
from truegreen.errors import UsageError


@click.group()
def command() -> None:
    """Incident reviews, from what the ledger holds.

    \b
    Example:  truegreen incident draft examples/raptor
    """


@command.command("draft")
@folder_argument
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the draft there instead of printing it.",
)
@click.option("--force", is_flag=True, help="Let --out replace a file that is there.")
@json_option
@quiet_option
def draft_command(folder: Path, out: Path | None, force: bool, as_json: bool, quiet: bool) -> int:
    """Draft the review of the last red run of the service in DIR, in Markdown.

    It says only what the recorded evidence says. Exits 2 when there is nothing to draft.

    \b
    Example:  truegreen incident draft examples/raptor --out review.md
    """
    from truegreen.incidents.draft import Provenance, draft, incident_id
    from truegreen.ledger import Ledger
    from truegreen.outputs.json_document import print_document

    config = load_config(folder)
    path = config.root / ".truegreen" / "ledger.sqlite3"
    if not path.is_file():
        raise UsageError(f"nothing to draft: there is no ledger {path}", hint="ship first")
    with Ledger.open(path) as ledger:
        record = ledger.last(verdict="red")
        holds = not ledger.check()
    if record is None:
        raise UsageError(f"nothing to draft: the ledger {path} holds no red run")
    where = Provenance(record.id, record.kind, record.at, record.hash, holds)
    text = draft(record.body, where)
    if out is not None:
        _write(out, text, force=force)
    name = incident_id(record.body, where)
    if as_json:
        print_document(
            {
                "id": name,
                "record": record.id,
                "markdown": text,
                "file": str(out) if out is not None else None,
            }
        )
    elif out is None:
        click.echo(text, nl=False)
    elif not quiet:
        click.echo(f"{name}: drafted from record {record.id} into {out}", err=True)
    return 0


def _write(out: Path, text: str, *, force: bool) -> None:
    try:
        with out.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{out} is there already", hint="--force replaces it") from error
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error
