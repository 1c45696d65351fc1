"""``--at``: a moment written in ISO 8601 with its offset, shared by the verbs that take one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from truegreen.errors import UsageError

_F = TypeVar("_F", bound=Callable[..., Any])


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


def moment_option(name: str, *, help: str, required: bool = False) -> Callable[[_F], _F]:
    """An option that takes a moment, as ``datetime`` in UTC; UsageError for what is none."""
    return click.option(name, metavar="ISO", callback=_moment, required=required, help=help)


at_option = moment_option("--at", help="Ask for this moment, e.g. 2026-12-24T18:00:00+01:00.")
