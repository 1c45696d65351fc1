"""``truegreen platform``: serve, stop, status, env, set. What they do is in `embedded`; `fault` is
`platform_fault`'s."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from truegreen.cli.platform_fault import fault
from truegreen.embedded import locate
from truegreen.errors import PlatformUnreachable, UsageError

_F = TypeVar("_F", bound=Callable[..., Any])

_folder = click.argument(
    "folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path)
)
_data = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="The platform's own folder (default: .truegreen/platform of DIR's checkout).",
)
_json = click.option(
    "--json", "as_json", is_flag=True, help="One JSON document on standard output."
)


def _place(function: _F) -> _F:
    return _folder(_data(function))


def _data_dir(folder: Path, data: Path | None) -> Path:
    return data.absolute() if data else locate.data_dir(folder)


def _running(folder: Path, data: Path | None) -> locate.PlatformInfo:
    place = _data_dir(folder, data)
    info = locate.find_running(place)
    if info is None:
        raise PlatformUnreachable(
            f"no embedded platform runs on {place}",
            hint="truegreen platform serve starts one; so does truegreen ship",
        )
    return info


@click.group()
def command() -> None:
    """The embedded platform: Heroku's API, builds, dynos and an edge, on this machine.

    \b
    truegreen platform serve --background
    truegreen platform status
    """


@command.command()
@_place
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of the API; 0: any.")
@click.option(
    "--on-release-failure",
    type=click.Choice(["hold", "deploy"]),
    help="A release whose command failed: keep the old one (hold), or run it all the same.",
)
@click.option(
    "--background", is_flag=True, help="Start it as a daemon and return when it is ready."
)
def serve(
    folder: Path, data: Path | None, port: int, on_release_failure: str | None, background: bool
) -> None:
    """Run the platform until Ctrl-C (or `truegreen platform stop`)."""
    place = _data_dir(folder, data)
    settings = {"on-release-failure": on_release_failure} if on_release_failure else {}
    if background:
        from truegreen.ship.environments import withhold_tokens

        withhold_tokens()  # it outlives us, and whoever it runs could ask it
        if locate.find_running(place) is not None:
            raise UsageError(
                f"a platform runs on {place} already", hint="truegreen platform status shows it"
            )
        options = ["--port", str(port)]
        for name, value in settings.items():
            options += [f"--{name}", value]
        info = locate.ensure_running(place, options=options)
        click.echo(f"The embedded platform runs: API {info.api}, router {info.router}", err=True)
        return

    import asyncio
    import logging

    from truegreen.embedded.control import Control
    from truegreen.embedded.server import ServeOptions
    from truegreen.embedded.server import serve as run

    def ready(control: Control) -> None:
        urls = control.urls
        click.echo(
            f"The embedded platform is ready.\n  API     {urls.api}\n  router  {urls.router}\n"
            f"  edge    {urls.edge}\n  data    {control.data.root}\n"
            "Ctrl-C stops it, and everything that it runs.",
            err=True,
        )

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    asyncio.run(run(ServeOptions(place, port, settings), ready))


@command.command()
@_place
@_json
def stop(folder: Path, data: Path | None, as_json: bool) -> None:
    """Stop the platform and everything that it runs. Fine when none is running."""
    place = _data_dir(folder, data)
    stopped = locate.stop(place)
    if as_json:
        click.echo(json.dumps({"stopped": stopped, "data": str(place)}))
    else:
        click.echo("stopped" if stopped else f"no platform was running on {place}", err=True)


@command.command()
@_place
@_json
def status(folder: Path, data: Path | None, as_json: bool) -> None:
    """Addresses, apps and dynos of the running platform. Exit 3 when none runs."""
    values = locate.ask(_running(folder, data), "GET", "/truegreen/status")
    if as_json:
        click.echo(json.dumps(values, indent=2))
        return
    for name in ("api", "router", "edge", "data", "pid"):
        click.echo(f"{name:<7} {values[name]}")
    for name, value in values["settings"].items():
        click.echo(f"{name} = {value}")
    for key, one in values["faults"].items():
        click.echo(f"fault {key}: " + " ".join(f"{k}={v}" for k, v in one.items()))
    for app in values["apps"]:
        dynos = ", ".join(f"{dyno['name']} {dyno['state']}" for dyno in app["dynos"]) or "no dynos"
        click.echo(f"{app['name']}  {app['release']}  {dynos}  {app['edge_url']}")


@command.command()
@_place
def env(folder: Path, data: Path | None) -> None:
    """Shell lines that point Heroku's own CLI here: eval "$(truegreen platform env)"."""
    info = _running(folder, data)
    for name, value in (
        ("HEROKU_HOST", info.api),
        ("HEROKU_API_KEY", info.token().reveal()),
        ("DISABLE_TELEMETRY", "true"),
        # no request to npm, and no process that updates the CLI behind our back
        ("HEROKU_SKIP_NEW_VERSION_CHECK", "true"),
        ("HEROKU_DISABLE_AUTOUPDATE", "1"),
        # where the CLI asks about unpaid bills, with the key: not at Heroku with ours
        ("HEROKU_PARTICLEBOARD_URL", info.api),
        ("NODE_EXTRA_CA_CERTS", str(info.data / "rendezvous.pem")),
    ):
        click.echo(f"export {name}={shlex.quote(value)}")


@command.command(name="set")
@click.argument("values", metavar="NAME=VALUE...", nargs=-1, required=True)
@click.option("--dir", "folder", default=".", type=click.Path(file_okay=False, path_type=Path))
@_data
@_json
def set_(values: tuple[str, ...], folder: Path, data: Path | None, as_json: bool) -> None:
    """Change a setting of the running platform, for good: on-release-failure=hold|deploy,
    release-timeout=SECONDS, build-timeout=SECONDS, boot-timeout=SECONDS, slug-cache=MIB."""
    changes: dict[str, str] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{text!r} is not NAME=VALUE", hint="on-release-failure=deploy")
        changes[name] = value

    from truegreen.embedded.settings import RuntimeSettings

    RuntimeSettings().with_values(changes)
    now = locate.ask(_running(folder, data), "PATCH", "/truegreen/settings", changes)
    if as_json:
        click.echo(json.dumps(now))
    else:
        for name, value in now.items():
            click.echo(f"{name} = {value}")


command.add_command(fault)
