"""``truegreen platform fault``: add, list, remove, kinds. What they are is `embedded.faults`'."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import click

from truegreen.embedded import locate
from truegreen.errors import PlatformUnreachable, UsageError

_dir = click.option(
    "--dir", "folder", default=".", type=click.Path(file_okay=False, path_type=Path)
)
_data = click.option("--data", type=click.Path(file_okay=False, path_type=Path))
_json = click.option("--json", "as_json", is_flag=True, help="One JSON document.")


def _running(folder: Path, data: Path | None) -> locate.PlatformInfo:
    place = data.absolute() if data else locate.data_dir(folder)
    info = locate.find_running(place)
    if info is None:
        raise PlatformUnreachable(
            f"no embedded platform runs on {place}", hint="truegreen platform serve starts one"
        )
    return info


@click.group()
def fault() -> None:
    """Faults of the running platform: put in, shown, taken out. None outlives the platform.

    \b
    truegreen platform fault add api-error 'path=/apps/*' rate=0.5
    truegreen platform fault list
    truegreen platform fault remove f1
    """


@fault.command()
@click.argument("kind")
@click.argument("values", metavar="[NAME=VALUE]...", nargs=-1)
@_dir
@_data
@_json
def add(
    kind: str, values: tuple[str, ...], folder: Path, data: Path | None, as_json: bool
) -> None:  # fmt: skip
    """Put a fault in; prints its id. `truegreen platform fault kinds` lists them."""
    from truegreen.embedded import faults

    given: dict[str, str] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{text!r} is not NAME=VALUE", hint="rate=0.5")
        given[name] = value
    key = faults.add(faults.parse(kind, given), _running(folder, data))
    click.echo(json.dumps({"id": key, "kind": kind}) if as_json else key)


@fault.command(name="list")
@_dir
@_data
@_json
def list_(folder: Path, data: Path | None, as_json: bool) -> None:
    """The faults that are in."""
    from truegreen.embedded import faults

    found = faults.active(_running(folder, data))
    if as_json:
        click.echo(json.dumps({k: {"kind": f.name, **f.as_text()} for k, f in found.items()}))
        return
    for key, one in found.items():
        values = " ".join(f"{name}={value}" for name, value in one.as_text().items())
        click.echo(f"{key}  {one.name}  {values}")


@fault.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "all_", is_flag=True, help="Every one that is in.")
@_dir
@_data
def remove(ids: tuple[str, ...], all_: bool, folder: Path, data: Path | None) -> None:
    """Take faults out. Fine when they are out already."""
    from truegreen.embedded import faults

    if bool(ids) == all_:
        raise UsageError("name the faults to remove, or give --all")
    info = _running(folder, data)
    for key in ids or faults.active(info):
        faults.remove(key, info)


@fault.command()
@_json
def kinds(as_json: bool) -> None:
    """Every fault that there is, with its values and their defaults."""
    from truegreen.embedded.faults import KINDS

    if as_json:
        click.echo(json.dumps({name: kind.summary for name, kind in KINDS.items()}))
        return
    for name, kind in KINDS.items():
        values = " ".join(f"{field.name}={field.default}" for field in fields(kind))
        click.echo(f"{name}  {kind.summary}\n    {values}")
