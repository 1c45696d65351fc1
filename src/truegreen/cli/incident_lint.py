"""``truegreen incident lint``: parses, calls incidents/lint, prints."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from truegreen.cli.options import folder_argument, json_option, quiet_option
from truegreen.config import load_config


@click.command("lint")
@folder_argument
@click.argument("names", metavar="[ID]...", nargs=-1)
@click.option("--github", is_flag=True, help="As annotations of GitHub Actions.")
@json_option
@quiet_option
def lint_command(
    folder: Path, names: tuple[str, ...], github: bool, as_json: bool, quiet: bool
) -> int:
    """Judge the reviews ID of the service in DIR (all without an ID).

    \b
    Exits 0 when nothing is wrong, 1 with an error, 3 when something that is cited could not be
    looked up, 2 for an ID that is none.

    \b
    Example:  truegreen incident lint examples/raptor
    """
    from truegreen.incidents.folder import find_review, review_files
    from truegreen.incidents.lint import lint_service
    from truegreen.incidents.lint.finding import exit_code
    from truegreen.outputs.action_log import print_commands
    from truegreen.outputs.annotations import Annotation, workflow_commands
    from truegreen.outputs.json_document import print_document

    config = load_config(folder)
    files = (
        [config.root / find_review(config, name).path for name in names]
        if names
        else list(review_files(config))
    )
    findings = lint_service(config, files, datetime.now(UTC).date())
    code = exit_code(findings)
    if as_json:
        print_document(
            {
                "reviews": [path.stem for path in files],
                "findings": [one.as_json() for one in findings],
                "holds": code == 0,
            }
        )
    elif github:
        top = os.environ.get("GITHUB_WORKSPACE") or "."
        told = workflow_commands(
            Annotation(
                "warning" if one.level == "warning" else "error",
                os.path.relpath(config.root / one.file, top),
                one.line,
                one.rule,
                f"{one.text}. {one.fix}" if one.fix else one.text,
            )
            for one in findings
        )
        print_commands(told, err=False)
    elif not quiet:
        for one in findings:
            fix = f" → {one.fix}" if one.fix else ""
            click.echo(f"{one.file}:{one.line}: {one.level} {one.rule}: {one.text}{fix}")
        wrong = sum(one.level != "warning" for one in findings)
        click.echo(f"{len(files)} reviews, {wrong} to correct, {len(findings) - wrong} to look at")
    return code
