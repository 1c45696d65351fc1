"""``truegreen incident``: parses, calls incidents/drafting, prints or writes."""

from __future__ import annotations

from pathlib import Path

import click

from truegreen.cli.incident_lint import lint_command
from truegreen.cli.options import filled, folder_argument, json_option, quiet_option
from truegreen.config import load_config
from truegreen.errors import UsageError


@click.group()
def command() -> None:
    """Incident reviews: drafted from what the ledger holds, and judged.

    \b
    Example:  truegreen incident draft examples/raptor --write
    """


command.add_command(lint_command)


@command.command("draft")
@folder_argument
@click.option("--write", "in_place", is_flag=True, help="Write it into the folder of reviews.")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the draft there instead of printing it.",
)
@click.option("--force", is_flag=True, help="Let --out replace a file that is there.")
@click.option("--record", type=int, metavar="N", help="The red run that record N of the ledger is.")
@click.option("--app", callback=filled, metavar="NAME", help="The newest red run of this app.")
@click.option(
    "--from",
    "source",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the JSON of ship, verify or drill run instead of the ledger.",
)
@click.option("--run", "label", metavar="LABEL", help="Of a drill's JSON, the run to draft from.")
@json_option
@quiet_option
def draft_command(
    folder: Path,
    in_place: bool,
    out: Path | None,
    force: bool,
    record: int | None,
    app: str | None,
    source: Path | None,
    label: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Draft the review of the last red run of the service in DIR, in Markdown.

    It says only what the recorded evidence says, with the evidence behind each sentence. With
    --write, a review that is there already keeps every word of a person's. Exits 2 when there is
    nothing to draft.

    \b
    Example:  truegreen incident draft examples/raptor --write
    """
    from truegreen.incidents.document import write
    from truegreen.incidents.drafting import draft, incident_id
    from truegreen.incidents.drafting.after_red import write_draft
    from truegreen.incidents.drafting.episode import find_episode
    from truegreen.outputs.json_document import print_document

    config = load_config(folder)
    episode = find_episode(config, record=record, app=app, source=source, label=label)
    name = incident_id(episode)
    text = write(draft(episode))
    file: Path | None = out
    if in_place:
        drafted = write_draft(config, episode)
        file, text = drafted.path, drafted.path.read_text(encoding="utf-8")
        for kept in drafted.kept:
            click.echo(f"{kept}: changed by a person, so left as it is", err=True)
    elif out is not None:
        _write(out, text, force=force)
    if as_json:
        print_document(
            {
                "id": name,
                "record": episode.red.id,
                "markdown": text,
                "file": str(file) if file is not None else None,
            }
        )
    elif file is None:
        click.echo(text, nl=False)
    elif not quiet:
        click.echo(f"{name}: drafted from {episode.red.name} into {file}", err=True)
    return 0


def _write(out: Path, text: str, *, force: bool) -> None:
    try:
        with out.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{out} is there already", hint="--force replaces it") from error
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error
