"""``truegreen hermetic``: the group. ``report`` is here; ``prove`` has its own file."""

from __future__ import annotations

import importlib
import os
import tempfile
from pathlib import Path

import click

from truegreen.cli.interruption import sigterm_interrupts
from truegreen.cli.options import json_option, quiet_option
from truegreen.config import load_config
from truegreen.errors import Unverified, UsageError


class _Group(click.Group):
    """Imports ``prove`` when it is asked for: it needs what ``report`` does not."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), "prove"})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "prove":
            loaded = importlib.import_module("truegreen.cli.hermetic_prove")
            prove: click.Command = loaded.command
            return prove
        return super().get_command(ctx, cmd_name)


@click.command(cls=_Group)
def command() -> None:
    """What a test suite depends on besides its own code: say it, prove it.

    \b
    Example:  truegreen hermetic report --dir examples/raptor
    """


@command.command()
@click.argument("paths", metavar="[PATHS]...", nargs=-1)
@click.option(
    "--dir",
    "folder",
    metavar="DIR",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The service's root; default: this folder. PATHS are relative to it.",
)
@json_option
@quiet_option
def report(paths: tuple[str, ...], folder: Path, as_json: bool, quiet: bool) -> int:
    """Run a suite and name each variable that it reads and does not pin, with its line.

    PATHS instead of smoke.paths. Each leak comes with the line to add to truegreen.toml.

    \b
    Exits 0 nothing leaked (or smoke.leaks lets it); 1 it did; 2 nothing to run; 3 no tests, or
    tests that did not come to their end.

    \b
    Example:  truegreen hermetic report tests/smoke --dir examples/raptor
    """
    from truegreen.gates.smoke import standard_output_to
    from truegreen.hermetic.report import defaults_of, document, lines, verdict
    from truegreen.outputs.json_document import print_document
    from truegreen.release.smoke import session

    config = load_config(folder)
    for path in paths:
        if not (config.root / path.split("::")[0]).exists():
            raise UsageError(f"{path} is not in {config.root}")
    suite = config.smoke._replace(paths=paths or config.smoke.paths)
    config = config._replace(smoke=suite)
    if not suite.paths:
        raise UsageError(
            "no smoke suite: smoke.paths is empty", hint="name PATHS, or set smoke.paths"
        )
    with (
        tempfile.TemporaryDirectory(prefix="truegreen-report-") as scratch,
        Path(os.devnull).open("wb") as nowhere,
        sigterm_interrupts(),
        standard_output_to(nowhere.fileno() if quiet else (2 if as_json else None)),
    ):
        _, result, problem = session(config, os.environ, Path(scratch))
    if result is None:
        raise Unverified(problem or "pytest ended before it had a result: its output says why")
    code, why = verdict(result)
    if as_json:
        print_document({"verdict": why, **document(result, defaults_of(config))})
    elif not quiet:
        for line in lines(result, defaults_of(config)):
            click.echo(line)
        click.echo(f"hermetic: {why}")
    return code
