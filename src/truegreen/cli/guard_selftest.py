"""``truegreen guard selftest``: parses, has the attack matrix replayed, prints what got through."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from truegreen.cli.options import json_option, quiet_option
from truegreen.errors import UsageError
from truegreen.secret import Secret, resolve

if TYPE_CHECKING:
    from truegreen.guard.attacks import Router
    from truegreen.guard.selftest.run import Result


@click.command()
@click.argument("app", metavar="[APP]", required=False)
@click.option("--edge", metavar="URL", help="With --origin: the address of the front door.")
@click.option("--origin", metavar="URL", help="With --edge: the address past it.")
@click.option(
    "--secret",
    "reference",
    metavar="REFERENCE",
    help="env:NAME or file:PATH of the guard's secret (default: env:ORIGIN_SECRET, when set).",
)
@click.option("--header", default="X-Origin-Secret", show_default=True, help="Its header.")
@click.option("--path", default="/", show_default=True, help="A path that is not exempt.")
@click.option("--exempt", multiple=True, metavar="PATH", help="Exempt path; ask for look-alikes.")
@click.option(
    "--router",
    "routers",
    multiple=True,
    type=click.Choice(["2.0", "legacy", "none"]),
    default=("2.0", "legacy"),
    show_default=True,
    help="What stands before the app, in process.",
)
@click.option("--with", "extra", multiple=True, metavar="HEADER", help="'Name: value' of controls.")
@click.option(
    "--dir",
    "folder",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder to import APP from.",
)
@json_option
@quiet_option
def command(
    app: str | None,
    edge: str | None,
    origin: str | None,
    reference: str | None,
    header: str,
    path: str,
    exempt: tuple[str, ...],
    routers: tuple[Router, ...],
    extra: tuple[str, ...],
    folder: Path,
    as_json: bool,
    quiet: bool,
) -> int:
    """Send every known attack to APP (module:app or module:factory()), or to a pair of URLs.

    \b
    Exits 0 when nothing got through, 1 when something did, 3 when it could not find out.

    \b
    Example:  truegreen guard selftest raptor.wsgi:app --exempt /health
    Example:  truegreen guard selftest --edge https://api.example.com \\
                --origin https://raxx-api-prod.herokuapp.com
    """
    if not header.isascii() or not header.replace("-", "").isalnum():
        raise UsageError(f"--header {header!r} is no header's name", hint="letters, digits and -")
    for one in (path, *exempt):
        if not one.startswith("/") or not one.isascii() or " " in one or not one.isprintable():
            raise UsageError(f"{one!r} is no path", hint="write it as /health, percent-encoded")
    if path in exempt:
        raise UsageError(f"--path {path} is exempt", hint="name one that the guard guards")
    if app and not edge and not origin:
        result = _in_process(app, folder, _secret(reference), header, path, exempt, routers, extra)
    elif edge and origin and not app:
        result = _urls(edge, origin, header, path, exempt)
    else:
        raise UsageError("what to attack?", hint="APP, or both --edge URL and --origin URL")
    if as_json:
        from truegreen.outputs.json_document import print_document

        print_document(result.as_json())
    elif not quiet:
        _print(result)
    return result.exit_code


def _secret(reference: str | None) -> Secret | None:
    if reference is None:
        value = os.environ.get("ORIGIN_SECRET")
        return Secret(value) if value else None
    return resolve(reference, what="--secret")


def _in_process(
    name: str,
    folder: Path,
    secret: Secret | None,
    header: str,
    path: str,
    exempt: tuple[str, ...],
    routers: tuple[Router, ...],
    extra: tuple[str, ...],
) -> Result:
    from truegreen.guard.attacks import matrix
    from truegreen.guard.selftest.inprocess import AsgiDriver, WsgiDriver
    from truegreen.guard.selftest.loading import interface_of, load_app
    from truegreen.guard.selftest.run import run_in_process

    if secret and (why := secret.unsendable()):
        raise UsageError(f"the secret {why}", hint="make one with: openssl rand -hex 32")
    value = secret.reveal() if secret else None
    attacks = matrix(header, secret=value, exempt=exempt, path=path)
    headers = [_header(one) for one in extra]
    with redirect_stdout(sys.stderr):  # what the app prints is not our document
        application = load_app(name, folder)
        if interface_of(application) == "wsgi":
            driver = WsgiDriver(application)
            return run_in_process(
                driver,
                attacks,
                secret=value,
                header=header,
                path=path,
                routers=routers,
                credulous=True,
                extra=headers,
            )
        with AsgiDriver(application) as asgi:
            return run_in_process(
                asgi,
                attacks,
                secret=value,
                header=header,
                path=path,
                routers=routers,
                websocket=True,
                extra=headers,
            )


def _urls(edge: str, origin: str, header: str, path: str, exempt: tuple[str, ...]) -> Result:
    from truegreen.guard.attacks import matrix
    from truegreen.guard.selftest.run import run_urls
    from truegreen.guard.selftest.urls import UrlDriver

    attacks = matrix(header, exempt=exempt, path=path)
    return run_urls(UrlDriver(origin), UrlDriver(edge), attacks, header=header, path=path)


def _header(text: str) -> tuple[bytes, bytes]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or not text.isascii() or not text.isprintable():
        raise UsageError("--with: not a header", hint="write 'Name: value'")
    return name.strip().encode(), value.strip().encode()


def _print(result: Result) -> None:
    for one in result.through:
        click.echo(f"GOT THROUGH  {one.name} ({one.via}): {one.says}; {one.observed}")
    for one in result.unknown:
        click.echo(f"unknown      {one.name} ({one.via}): {one.says}; {one.observed}")
    for text in result.skipped:
        click.echo(f"not sent     {text}")
    refused = sum(one.verdict == "refused" for one in result.attacks)
    let_in = sum(one.verdict == "through" for one in result.controls)
    click.echo(
        f"{refused} of {len(result.attacks)} attacks refused, "
        f"{let_in} of {len(result.controls)} legitimate requests let in"
    )
    if any(one.verdict == "refused" for one in result.controls):
        click.echo(
            "the guard refused legitimate requests: has it the secret of --secret, and is there "
            "one guard only (in Django the middleware or the one in wsgi.py)?"
        )
    if result.through and not refused:
        click.echo("nothing was refused: is there a guard around it, and its mode enforce?")
    if result.exit_code == 3:
        click.echo("so whether the guard holds could not be found out")
