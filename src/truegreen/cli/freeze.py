"""``truegreen freeze``: parses, asks gates/freeze, prints."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from truegreen.cli.moment import at_option, moment_option
from truegreen.cli.options import env_option, folder_argument, json_option, quiet_option
from truegreen.config import load_config

if TYPE_CHECKING:
    from truegreen.gates.freeze.asked import Look

_MOST = 366  # days of a calendar


@click.group()
def command() -> None:
    """When nothing is shipped: now, next, at a time, and as a calendar.

    \b
    Example:  truegreen freeze check examples/raptor --at 2026-12-24T18:00:00+01:00
    """


@command.command()
@folder_argument
@env_option
@json_option
@quiet_option
def status(folder: Path, env_name: str | None, as_json: bool, quiet: bool) -> int:
    """Say whether it is frozen now. Exits 0 open, 4 closed, 3 when it cannot be found out.

    \b
    Example:  truegreen freeze status examples/raptor --env production
    """
    return _tell(folder, env_name, None, as_json=as_json, quiet=quiet)


@command.command()
@folder_argument
@moment_option("--at", required=True, help="The moment, e.g. 2026-12-24T18:00:00+01:00.")
@env_option
@json_option
@quiet_option
def check(folder: Path, at: datetime, env_name: str | None, as_json: bool, quiet: bool) -> int:
    """Say whether it is frozen at a moment. Exits 0 open, 4 closed, 3 when it cannot be found out.

    \b
    Example:  truegreen freeze check --at 2026-12-24T18:00:00+01:00
    """
    return _tell(folder, env_name, at, as_json=as_json, quiet=quiet)


@command.command("next")
@folder_argument
@click.option("--limit", default=5, show_default=True, type=click.IntRange(1, 1000))
@at_option
@env_option
@json_option
@quiet_option
def next_(
    folder: Path,
    limit: int,
    at: datetime | None,
    env_name: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Say when the next freezes are, and when it is open. Exits 0, or 3 for a bad calendar.

    \b
    Example:  truegreen freeze next examples/raptor --json
    """
    from truegreen.gates.freeze.view import coming
    from truegreen.outputs.freeze_text import window_line
    from truegreen.outputs.json_document import print_document

    look = _look(folder, env_name, at)
    windows = coming(look.windows, look.at, limit)
    detail = look.answer.detail
    if as_json:
        print_document(
            {
                "at": look.answer.as_json()["at"],
                "open": look.answer.open,
                "opens": detail["opens"],
                "open_until": detail["open_until"],
                "windows": windows,
            }
        )
    elif not quiet:
        state = "open" if look.answer.open else f"closed, opens {detail['opens'] or 'not at all'}"
        click.echo(f"{state}: {look.answer.reason}")
        for window in windows:
            click.echo(("now   " if window["holds"] else "next  ") + window_line(window))
    return 0


@command.command()
@folder_argument
@click.option("--days", default=92, show_default=True, type=click.IntRange(1, _MOST))
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Draw it to a file.")
@at_option
@env_option
@json_option
@quiet_option
def calendar(
    folder: Path,
    days: int,
    svg: Path | None,
    at: datetime | None,
    env_name: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Show the months ahead, with what is closed. Exits 0, or 3 for a bad calendar.

    \b
    Example:  truegreen freeze calendar examples/raptor --svg freeze.svg
    """
    from truegreen.outputs.freeze_svg import calendar_svg
    from truegreen.outputs.freeze_text import calendar_lines
    from truegreen.outputs.json_document import print_document

    look = _look(folder, env_name, at)
    seen = look.view(days)
    if svg is not None:
        svg.write_text(calendar_svg(seen, f"Freezes of {look.app}"), encoding="utf-8")
    if as_json:
        print_document(seen)
    elif not quiet and svg is None:
        click.echo("\n".join(calendar_lines(seen)))
    return 0


@command.command()
@folder_argument
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 if it differs.")
@at_option
@quiet_option
def lock(folder: Path, only_check: bool, at: datetime | None, quiet: bool) -> int:
    """Write freeze.lock, by which the release command asks again on its dyno; commit it.

    \b
    Example:  truegreen freeze lock examples/raptor
    """
    from truegreen.gates.freeze.asked import check_lock, write_lock

    config = load_config(folder)
    if only_check:
        problem = check_lock(config, at)
        if problem and not quiet:
            click.echo(problem)
        return 1 if problem else 0
    path = write_lock(config, at)
    if not quiet:
        click.echo(f"{path.name} written; commit it")
    return 0


def _look(folder: Path, env_name: str | None, at: datetime | None) -> Look:
    from truegreen.gates.freeze.asked import look
    from truegreen.ship.asking import question_of
    from truegreen.ship.environments import choose_environment

    config = load_config(folder)
    return look(question_of(config, choose_environment(config, env_name), now=at))


def _tell(
    folder: Path, env_name: str | None, at: datetime | None, *, as_json: bool, quiet: bool
) -> int:
    from truegreen.gates import freeze
    from truegreen.gates.run import exit_code
    from truegreen.outputs.json_document import print_document
    from truegreen.ship.asking import question_of
    from truegreen.ship.environments import choose_environment

    config = load_config(folder)
    answer = freeze.ask(question_of(config, choose_environment(config, env_name), now=at))
    told: dict[str, Any] = answer.as_json()
    if as_json:
        print_document(told)
    elif not quiet:
        state = "open" if answer.open else "UNKNOWN" if told["status"] == "unknown" else "closed"
        click.echo(f"{state}: {answer.reason}")
        if answer.clears:
            click.echo(f"to open it: {answer.clears}")
    return exit_code([answer])
