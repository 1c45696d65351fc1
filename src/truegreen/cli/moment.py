"""``--at``: a moment written in ISO 8601 with its offset, shared by the verbs that take one."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from truegreen.errors import UsageError


def _moment(_: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    if text is None:
        return None
    option = f"--{parameter.name}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{option}: {text!r} is not a date and time", hint="write 2026-12-24T18:00:00+01:00"
        ) from error
    if moment.tzinfo is None:
        raise UsageError(f"{option}: {text!r} has no offset", hint="add Z, or e.g. +01:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise UsageError(f"{option}: {text!r} is out of range") from error


at_option = click.option(
    "--at",
    metavar="ISO",
    callback=_moment,
    help="Ask for this moment, e.g. 2026-12-24T18:00:00+01:00.",
)
