"""``truegreen smoke``: parses, calls gates/smoke.py, prints."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from truegreen.cli.interruption import sigterm_interrupts
from truegreen.cli.options import env_option, json_option, platform_option, quiet_option
from truegreen.cli.withheld import read_config
from truegreen.config import Config
from truegreen.errors import UsageError


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
@click.option(
    "--env-from", "app", metavar="APP", help="First show what would leak with APP's config vars."
)
@env_option
@platform_option
@json_option
@quiet_option
def command(
    paths: tuple[str, ...],
    folder: Path,
    app: str | None,
    env_name: str | None,
    platform: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run the smoke suite in its seal, here, as the release command runs it on the dyno.

    PATHS instead of smoke.paths. pytest's output is shown (on standard error with --json).
    With --env-from, the suite first runs unsealed with APP's config vars (secrets and databases
    replaced), and what changes is shown; with smoke.seal = false that counts.

    \b
    Exits 0 all passed and nothing leaked; 1 not; 2 nothing to run; 3 could not be run.

    \b
    Example:  truegreen smoke tests/smoke --dir examples/raptor
    """
    from truegreen.gates.smoke import sealed_suite
    from truegreen.model import Status
    from truegreen.outputs.json_document import print_document

    config = read_config(folder)
    for path in paths:
        if not (config.root / path.split("::")[0]).exists():
            raise UsageError(f"{path} is not in {config.root}")
    if paths:
        suite = config.smoke._replace(paths=paths)
        config = config._replace(smoke=suite)
    if not config.smoke.paths:
        raise UsageError(
            "no smoke suite: smoke.paths is empty", hint="name PATHS, or set smoke.paths"
        )
    with Path(os.devnull).open("wb") as nowhere, sigterm_interrupts():
        exposed = _expose(config, env_name, platform, app) if app is not None else None
        if exposed is not None and not quiet and not as_json:
            _print_exposed(exposed)
        output = nowhere.fileno() if quiet else (2 if as_json else None)
        result = sealed_suite(config, datetime.now(UTC), environ=os.environ, output=output)
    if as_json:
        document = result.as_json()
        print_document({**document, "would_leak": exposed} if exposed else document)
    elif not quiet:
        click.echo(f"smoke: {result.status}: {result.reason}")
        for finding in result.findings:
            click.echo(f"  {finding.where}  {finding.kind}: {finding.text}")
        if result.clears:
            click.echo(f"  {result.clears}")
    code = {Status.PASS: 0, Status.FAIL: 1, Status.UNKNOWN: 3}[result.status]
    return 1 if exposed and exposed["changed"] and not config.smoke.seal else code


def _expose(config: Config, env_name: str | None, platform: str | None, app: str) -> dict[str, Any]:
    from truegreen.gates.smoke import standard_output_to
    from truegreen.hermetic.prove.expose import expose
    from truegreen.release.prepare import prepare
    from truegreen.ship.borrowed import borrow_from

    borrowed = borrow_from(config, env_name, platform, app)

    with standard_output_to(2):
        exposure = expose(config, prepare, os.environ, borrowed.values)
    return {**exposure.as_json(), "config": borrowed.as_json()}


def _print_exposed(exposed: Mapping[str, Any]) -> None:
    app = exposed["config"]["app"]
    replaced = ", ".join(one["name"] for one in exposed["config"]["replaced"])
    click.echo(f"unsealed, with the config vars of {app} (replaced: {replaced or 'none'}):")
    for one in exposed["changed"]:
        click.echo(f"  {one['test']}: {one['outcome']} there  {one['message']}")
    for leak in exposed["leaks"]:
        click.echo(f"  would leak: {leak['variable']} at {leak['file']}:{leak['line']}")
    count = len(exposed["changed"])
    click.echo(f"  {count} of {exposed['tests']} tests would end differently there")
    click.echo("as configured:")
