"""``truegreen guard``: what belongs to the origin guard and is done from outside of the service."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from truegreen.cli.options import json_option
from truegreen.errors import UsageError

# verb -> the module of truegreen.cli that holds its command, imported when it is called
_ELSEWHERE = {"selftest": "guard_selftest"}


class _Group(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _ELSEWHERE:
            module = importlib.import_module(f"truegreen.cli.{_ELSEWHERE[cmd_name]}")
            command: click.Command = module.command
            return command
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Group)
def command() -> None:
    """The origin guard: its list of networks, and whether it holds.

    \b
    Example:  truegreen guard ranges --check edge.json
              truegreen guard ranges --refresh edge.json
              truegreen guard selftest myapp:app
    """


@command.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--refresh", is_flag=True, help="Read the published list; replace FILE by it.")
@click.option("--check", is_flag=True, help="Change nothing; 1: too old, or not as published.")
@click.option("--edge", default="cloudflare", show_default=True, help="Whose list.")
@click.option("--url", "urls", multiple=True, help="Where it is published; several are joined.")
@json_option
def ranges(
    file: Path | None, refresh: bool, check: bool, edge: str, urls: tuple[str, ...], as_json: bool
) -> int:
    """Check or refresh an edge's list of networks; without FILE, the one that is shipped.

    \b
    --check            is FILE usable, young enough, of no day to come?  reads nothing but FILE
    --refresh          replaces FILE by the published list, in one step, unless that is suspicious
    --refresh --check  is FILE what is published?
    FILE need not exist for --refresh: then it is made.

    \b
    Example:  truegreen guard ranges --refresh config/cloudflare.json
    Exit: 0 usable, or refreshed; 1 too old, of a day to come, or different; 3 could not be read;
    4 suspicious, kept.
    """
    import time

    from truegreen.guard.ranges import Ranges

    if not refresh and not check:
        raise UsageError("guard ranges: nothing to do", hint="--check, --refresh or both")
    if refresh:
        return _refresh(file, check, edge, urls, as_json)
    listed = Ranges.shipped(edge) if file is None else Ranges.load(file)
    age, stale = listed.age_days(time.time()), listed.stale(time.time())
    told = {
        "edge": listed.name,
        "networks": listed.size,
        "date": listed.date,
        "age_days": None if age is None else round(age, 1),
        "stale": stale,
    }
    old = "undated" if age is None else f"of {listed.date}, {age:.0f} days old"
    early = age is not None and age < -1  # a day: clocks and time zones differ
    verdict = "TOO OLD: nothing passes the check ranges; --refresh it" if stale else "usable"
    if early:
        verdict = (
            "DATED IN THE FUTURE: it would be believed for too long; see this clock, or the date"
        )
    _tell(told, f"{listed.name}: {listed.size} networks, {old}: {verdict}", as_json)
    return 1 if stale or early else 0


def _refresh(
    file: Path | None, check: bool, edge: str, urls: tuple[str, ...], as_json: bool
) -> int:
    from datetime import UTC, datetime

    from truegreen.guard.ranges import edges
    from truegreen.guard.refresh import PUBLISHED, apply, read_change

    if not urls and edge not in PUBLISHED:
        raise UsageError(f"where {edge} publishes its list is not known", hint="give --url")
    if file is None and not check:
        raise UsageError(
            "guard ranges --refresh: no FILE", hint="one of your own; the package is not edited"
        )
    where = file or edges() / f"{edge}.json"
    sources = urls or PUBLISHED[edge]
    change = read_change(where, edge=edge, urls=sources, today=datetime.now(UTC).date())
    different = bool(change.added or change.removed)
    if not check:
        apply(where, change, edge=edge, urls=sources)
    told = {
        "edge": edge,
        "networks": len(change.networks),
        "date": change.date,
        "added": list(change.added),
        "removed": list(change.removed),
        "written": not check,
    }
    lines = [f"{edge}: {len(change.networks)} networks published"]
    lines += [f"  + {one}" for one in change.added] + [f"  - {one}" for one in change.removed]
    lines.append(
        f"{where}: " + (("different" if different else "the same") if check else "written")
    )
    _tell(told, "\n".join(lines), as_json)
    return 1 if check and different else 0


def _tell(told: dict[str, object], prose: str, as_json: bool) -> None:
    if as_json:
        import json

        click.echo(json.dumps(told, indent=2))
    else:
        click.echo(prose)
