"""``truegreen doctor``: parses, examines, prints."""

from __future__ import annotations

from pathlib import Path

import click

from truegreen.cli.options import folder_argument, json_option, quiet_option


@click.command()
@folder_argument
@click.option("--sarif", "sarif_path", metavar="PATH", help="Write SARIF 2.1.0 there too.")
@click.option("--rules", "list_rules", is_flag=True, help="List the rules, and examine nothing.")
@json_option
@quiet_option
def command(
    folder: Path, sarif_path: str | None, list_rules: bool, as_json: bool, quiet: bool
) -> int:
    """Find what will go wrong at a release, in any repository, without configuration.

    Reads workflows, Procfiles, migrations and source; runs nothing and changes nothing.

    \b
    Exits 0 when there is nothing, 1 with an error or a warning, 3 when something
    could not be read.

    \b
    Example:  truegreen doctor . --sarif doctor.sarif
    """
    from truegreen.doctor import RULES, examine
    from truegreen.outputs.doctor_report import doctor_sarif, lines
    from truegreen.outputs.formats import replace_file
    from truegreen.outputs.json_document import print_document

    if list_rules:
        for rule in RULES.values():
            click.echo(f"{rule.name:<22} {rule.why}\n{'':<22} → {rule.fix}")
        return 0
    found = examine(folder.resolve())
    if sarif_path:
        replace_file(Path(sarif_path), doctor_sarif(found.as_json()))
    if as_json:
        print_document(found.as_json())
    elif not quiet:
        click.echo("\n".join(lines(found.as_json())))
    return found.exit_code
