"""How the verbs that end in a verdict tell it: on the terminal, as JSON, in files, to GitHub."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO, TypeVar

import click

from truegreen.errors import TrueGreenError

if TYPE_CHECKING:
    from truegreen.config import Config, Environment
    from truegreen.ledger import Ledger
    from truegreen.outputs.run_record import RunRecord
    from truegreen.state import Location

_F = TypeVar("_F", bound=Callable[..., Any])
_TRACED = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Telling(NamedTuple):
    """How the end is told: ``--json``, ``--quiet``, ``--output``."""

    as_json: bool
    quiet: bool
    outputs: Mapping[str, Path]


def output_option(function: _F) -> _F:
    """``--output FORMAT=PATH``, repeatable."""
    return click.option(
        "--output",
        "outputs",
        metavar="FORMAT=PATH",
        multiple=True,
        help="Write the record too: cdevents, in-toto, json, junit, markdown or sarif.",
    )(function)


def tell(
    kind: str,
    document: Mapping[str, Any],
    config: Config,
    environment: Environment,
    ledger: Ledger,
    *,
    as_json: bool,
    quiet: bool,
    outputs: Mapping[str, Path],
    recorded: bool = True,
) -> None:
    """Prints the document of a run of the verb ``kind``, and writes what was asked for.

    Under GitHub Actions the step summary, annotations and the step's outputs ``verdict`` and
    ``sentence`` come by themselves; with an OTLP endpoint in the environment, spans do. Who
    stands in ``[notify]`` is told when the verdict is another than the last one; where it is not
    ``recorded``, when it is not green. Of all that, what cannot be told is said on standard error,
    and changes nothing.
    """
    document = _to_be_copied(document, config, environment)
    try:
        _print(document, as_json=as_json, quiet=quiet)
    except BrokenPipeError:
        raise
    except OSError as error:
        told = f"{document['verdict'].upper()}  {document['sentence']}"
        _give_up(sys.stdout)
        click.echo(f"truegreen: standard output: {error.strerror}; {told}", err=True)
    summary = os.environ.get("GITHUB_STEP_SUMMARY", "")
    given = os.environ.get("GITHUB_OUTPUT", "")
    traced = any(os.environ.get(name) for name in _TRACED)
    news = bool(config.notify.webhook or config.notify.apprise)
    if not (outputs or summary or given or traced or news):
        return
    from truegreen.outputs.formats import write_outputs
    from truegreen.ship.recording import run_record

    record = run_record(kind, document, config, environment, ledger, environ=os.environ)
    for name, path in outputs.items():
        with _aside(f"--output {name}"):
            write_outputs(record, {name: path})
    if summary:
        _annotate(record, Path(summary))
    if given:
        from truegreen.errors import printable

        with _aside("GITHUB_OUTPUT"), Path(given).open("a", encoding="utf-8") as file:
            file.write(f"verdict={record.verdict}\nsentence={printable(record.sentence)}\n")
    if traced:
        from truegreen.outputs.spans import export_spans, otlp_exporter

        with _aside("OpenTelemetry"):
            export_spans(record, otlp_exporter())
    if news:
        from truegreen.notify.changes import tell_change

        for said in tell_change(record, config, ledger, recorded=recorded):
            click.echo(said, err=True)


def _print(document: Mapping[str, Any], *, as_json: bool, quiet: bool) -> None:
    if sys.stdout is None:  # closed by whoever called us
        return
    if as_json:
        from truegreen.outputs.json_document import print_document

        print_document(document)
    elif not quiet:
        from truegreen.outputs.table import print_verification, stdout_console  # rich: 20 ms

        print_verification(document, stdout_console())
        sys.stdout.flush()


def _give_up(stream: TextIO) -> None:
    """What is left of ``stream`` goes nowhere: Python would end with 120 for it, and no verdict."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _to_be_copied(
    document: Mapping[str, Any], config: Config, environment: Environment
) -> Mapping[str, Any]:
    """``document`` with a recommended command that means this service and environment, from where
    we are. Without a configuration only ``verify`` takes what it would have to be told."""
    advice = document["recommendation"]
    if not advice or not advice["command"]:
        return document
    from truegreen.ship.environments import env_option

    command = str(advice["command"])
    if config.file is None:
        verify = command == "truegreen verify"
        command = f"{command} --app {shlex.quote(environment.app)}" if verify else ""
    else:
        folder = os.path.relpath(config.root)
        command += "" if folder == "." else f" {shlex.quote(folder)}"
        command += env_option(config, environment)
    context = click.get_current_context(silent=True)
    platform = context.params.get("platform") if context else None
    if command and platform:
        command += f" --platform {shlex.quote(platform)}"
    return {**document, "recommendation": {**advice, "command": command}}


def _annotate(record: RunRecord, summary: Path) -> None:
    from truegreen.outputs.action_log import print_commands
    from truegreen.outputs.annotating import annotate
    from truegreen.outputs.step_summary import step_summary

    with _aside("GITHUB_STEP_SUMMARY"), summary.open("a", encoding="utf-8") as file:
        file.write(step_summary(record))
    print_commands(annotate(record), err=True)


@contextmanager
def _aside(what: str) -> Iterator[None]:
    """The verdict is found and recorded: what cannot be told here is said, and changes no exit
    code, for 2 would mean that nothing was done."""
    try:
        yield
    except (TrueGreenError, OSError, ValueError) as error:
        click.echo(f"truegreen: {what} was not written: {error}", err=True)


def tell_end(
    kind: str,
    document: Mapping[str, Any],
    config: Config,
    environment: Environment,
    location: Location,
    telling: Telling,
) -> None:
    """Tells the document of a run that changed something; a red ship drafts its review."""
    from truegreen.ledger import Ledger
    from truegreen.ship.ended import interruption_after_the_end

    with interruption_after_the_end() as ended:
        ended(str(document["verdict"]))
        with Ledger.open(location) as ledger:
            tell(
                kind, document, config, environment, ledger,
                as_json=telling.as_json, quiet=telling.quiet, outputs=telling.outputs,
            )  # fmt: skip
        if kind == "ship" and document["verdict"] == "red":
            from truegreen.incidents.drafting.after_red import after_red

            said = after_red(config, location, str(document["app"]))
            if said and not telling.quiet:
                click.echo(said, err=True)
