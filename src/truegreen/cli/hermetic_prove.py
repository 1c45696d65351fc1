"""``truegreen hermetic prove``: parses, calls hermetic/prove, prints."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from truegreen.cli.interruption import sigterm_interrupts
from truegreen.cli.options import env_option, json_option, platform_option, quiet_option
from truegreen.cli.withheld import read_config
from truegreen.config import Config
from truegreen.errors import UsageError

if TYPE_CHECKING:
    from truegreen.hermetic.prove.proof import Proof

_SHOWN = 5  # tests of a leak


@click.command()
@click.argument("paths", metavar="[PATHS]...", nargs=-1)
@click.option(
    "--dir",
    "folder",
    metavar="DIR",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The service's root; default: this folder. PATHS are relative to it.",
)
@click.option("--env-from", "app", metavar="APP", help="Try the values that APP really has, too.")
@click.option("--fix", is_flag=True, help="Write the missing pins into truegreen.toml.")
@click.option("--thorough", is_flag=True, help="Run each case alone, however many there are.")
@env_option
@platform_option
@json_option
@quiet_option
def command(
    paths: tuple[str, ...],
    folder: Path,
    app: str | None,
    fix: bool,
    thorough: bool,
    env_name: str | None,
    platform: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Show which variables decide the outcome of tests that do not pin them.

    Gives each variable that the suite reads, and does not pin, other values, and runs the tests
    that read it again. A test whose outcome changes is named with variable, value and line.

    \b
    Exits 0 no leak; 1 at least one; 2 configuration; 3 no tests, or could not find out.

    \b
    Example:  truegreen hermetic prove tests/smoke --dir examples/raptor --env-from raxx-api-prod
    """
    from truegreen.gates.smoke import standard_output_to
    from truegreen.hermetic.prove.pins import write_pins
    from truegreen.hermetic.prove.run import prove
    from truegreen.outputs.json_document import print_document
    from truegreen.release.prepare import prepare

    config = _with_paths(read_config(folder), paths)
    real: Mapping[str, str] = {}
    if app is not None:
        from truegreen.ship.borrowed import borrow_from

        real = borrow_from(config, env_name, platform, app).values

    def say(line: str) -> None:
        if not quiet:
            click.echo(line, err=True)

    # what migrates the scratch database may print; standard output is the document's
    with sigterm_interrupts(), standard_output_to(2):
        proof = prove(config, prepare, os.environ, real=real, say=say, thorough=thorough)
    if fix and proof.pins:
        write_pins(config.file, proof.pins)
        say(f"pinned in {config.file}: {', '.join(sorted(proof.pins))}")
    if as_json:
        print_document(proof.as_json())
    elif not quiet:
        _print(proof)
    return proof.exit_code


def _with_paths(config: Config, paths: tuple[str, ...]) -> Config:
    for path in paths:
        if not (config.root / path.split("::")[0]).exists():
            raise UsageError(f"{path} is not in {config.root}")
    if paths:
        config = config._replace(smoke=config.smoke._replace(paths=paths))
    if not config.smoke.paths:
        raise UsageError(
            "no smoke suite: smoke.paths is empty", hint="name PATHS, or set smoke.paths"
        )
    return config


def _print(proof: Proof) -> None:
    for leak in proof.as_json()["leaks"]:
        click.echo(f"{leak['variable']}, read at {leak['file']}:{leak['line']}, decides:")
        for one in leak["outcomes"][:_SHOWN]:
            value = "absent" if one["value"] is None else repr(one["value"])
            said = f"  {one['message']}" if one["message"] else ""
            click.echo(
                f"  {one['test']}: {one['unchanged']}, but {one['changed']} with {value}{said}"
            )
        if len(leak["outcomes"]) > _SHOWN:
            click.echo(f"  … and {len(leak['outcomes']) - _SHOWN} more")
        pin = proof.pins.get(leak["variable"])
        if pin is not None:
            click.echo(f'  pin it: [smoke.env] {leak["variable"]} = "{pin}"   (or --fix)')
    for test in proof.flaky:
        click.echo(f"flaky, or dependent on order, and blamed on nothing: {test}")
    for sentence in proof.unknown:
        click.echo(f"unknown: {sentence}")
    if not proof.leaks:
        what = "no leak was found" if not proof.unknown else "no leak was seen, but see above"
        click.echo(f"prove: {what} ({proof.tests} tests, {proof.cases} cases, {proof.runs} runs)")
