"""``truegreen scan``: parses, surveys, prints."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from truegreen.cli.interruption import sigterm_interrupts
from truegreen.cli.options import (
    env_option,
    filled,
    folder_argument,
    json_option,
    platform_option,
    quiet_option,
)
from truegreen.cli.withheld import read_config
from truegreen.config import Config
from truegreen.errors import UsageError

if TYPE_CHECKING:
    from truegreen.gates.scan.survey import Survey, Surveyor


@click.command()
@folder_argument
@click.option(
    "--commit",
    callback=filled,
    metavar="SHA",
    default="HEAD",
    help="Commit to scan (default: HEAD).",
)
@click.option(
    "--since",
    metavar="SHA|serving",
    help="Only what is new since that commit, or since what serves now.",
)
@click.option("--history", is_flag=True, help="Every blob of the repository's history, each once.")
@click.option(
    "--path",
    "outside",
    type=click.Path(path_type=Path),
    help="A file, a folder or a slug's archive instead of a commit.",
)
@click.option("--suppress", metavar="PLACE", multiple=True, help="Take a finding on.")
@click.option("--baseline", is_flag=True, help="Take on all that is found.")
@click.option("--reason", default="", help="Why, for --suppress and --baseline.")
@click.option("--owner", default="", help="Who answers for it.")
@click.option("--until", metavar="DAY", help="The last day on which it holds, e.g. 2027-01-31.")
@click.option("--sarif", type=click.Path(path_type=Path), help="Also write SARIF 2.1.0 there.")
@click.option("--annotate", is_flag=True, help="Also print GitHub's ::error commands.")
@click.option("--engine", type=click.Choice(["auto", "fast", "pure"]), default="auto")
@click.option("--jobs", type=click.IntRange(1, 256), help="Threads (default: one a core).")
@click.option("--no-cache", is_flag=True, help="Scan every blob anew.")
@env_option
@platform_option
@json_option
@quiet_option
def command(folder: Path, **asked: Any) -> int:
    """Look for personal data and secrets in what would be shipped. Never prints a value.

    \b
    Exits 0 when nothing is found; 1 when something is; 3 when something could
    not be read; 2 for a configuration, rules or suppressions that do not parse.

    \b
    Example:  truegreen scan examples/raptor --since serving
              truegreen scan --baseline --reason "before the scan" --owner jo --until 2027-01-31
    """
    from truegreen.gates.scan.report import EXIT, as_document
    from truegreen.gates.scan.survey import Surveyor
    from truegreen.model import Status

    config = read_config(folder)
    until = _taken_on(asked)
    now = datetime.now(UTC)
    surveyor = Surveyor(
        config,
        now.date(),
        engine=asked["engine"],
        jobs=asked["jobs"],
        cached=not asked["no_cache"],
        new_file=until is not None,
    )
    with sigterm_interrupts():
        survey = _survey(surveyor, config, asked)
    if until is not None:
        return _accept(survey, until, asked)
    document = as_document(survey, now)
    _tell(document, asked)
    return EXIT[Status(document["status"])]


def _survey(surveyor: Surveyor, config: Config, asked: dict[str, Any]) -> Survey:
    outside: Path | None = asked["outside"]
    since: str | None = asked["since"]
    if sum((outside is not None, since is not None, asked["history"])) > 1:
        raise UsageError("--since, --history and --path ask for different things", hint="take one")
    if outside is not None:
        return surveyor.files(outside)
    if asked["history"]:
        return surveyor.history()
    if since is None:
        return surveyor.tree(asked["commit"])
    base = _serving(config, asked) if since == "serving" else since
    return surveyor.changes(base, asked["commit"])


def _serving(config: Config, asked: dict[str, Any]) -> str:
    from truegreen.errors import Unverified
    from truegreen.ship.asking import question_of
    from truegreen.ship.target import choose_environment

    environment = choose_environment(config, asked["env_name"])
    serving = question_of(config, environment, platform=asked["platform"]).serving
    if serving.commit is None:
        why = serving.why or "nothing serves yet"
        raise Unverified(f"what serves now is not known: {why}", hint="name a commit: --since SHA")
    return serving.commit


def _taken_on(asked: dict[str, Any]) -> date | None:
    """The day of ``--until``; None when nothing is to be taken on."""
    if not asked["suppress"] and not asked["baseline"]:
        return None
    try:
        return date.fromisoformat(asked["until"] or "")
    except ValueError as error:
        raise UsageError(
            f"--until: {asked['until']!r} is not a day", hint="write --until 2027-01-31"
        ) from error


def _accept(survey: Survey, until: date, asked: dict[str, Any]) -> int:
    from truegreen.gates.scan.accept import accept, chosen

    hits = survey.blocking if asked["baseline"] else chosen(survey, asked["suppress"])
    count = accept(survey, hits, reason=asked["reason"], owner=asked["owner"], until=until)
    if not asked["quiet"]:
        click.echo(f"{survey.file}: {count} taken on until {until}", err=True)
    return 0


def _tell(document: dict[str, Any], asked: dict[str, Any]) -> None:
    from truegreen.outputs import scan_text
    from truegreen.outputs.json_document import print_document

    if asked["sarif"]:
        from importlib.metadata import version

        log = scan_text.sarif(document, version=version("truegreen"))
        try:
            asked["sarif"].write_text(json.dumps(log, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{asked['sarif']} cannot be written: {error.strerror}") from error
    if asked["as_json"]:
        print_document(document)
    elif not asked["quiet"]:
        for line in scan_text.lines(document):
            click.echo(line)
    if asked["annotate"]:
        from truegreen.outputs.action_log import print_commands

        print_commands(scan_text.annotate(document), err=asked["as_json"])
