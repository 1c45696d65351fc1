"""The options that several verbs share, and the folder that a verb is called on."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from truegreen.errors import UsageError

_F = TypeVar("_F", bound=Callable[..., Any])


def filled(_context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Callback of an option that names something. Raises UsageError for an empty name, which is a
    variable that was not set: what is meant without the option is not what was meant."""
    if value is not None and not value.strip():
        raise UsageError(
            f"{parameter.opts[0]} is empty", hint="is the variable set that it is written from?"
        )
    return value


folder_argument = click.argument(
    "folder",
    metavar="[DIR]",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
dir_option = click.option(
    "--dir",
    "folder",
    metavar="DIR",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The service's root; default: this folder.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON document on standard output."
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="No progress, no table.")
env_option = click.option(
    "--env", "env_name", metavar="NAME", callback=filled, help="Environment to use."
)
platform_option = click.option(
    "--platform",
    metavar="embedded|heroku|URL",
    callback=filled,
    help="Platform to use instead of the configured.",
)


def target_options(function: _F) -> _F:
    """``--env``, ``--platform``, ``--json`` and ``--quiet``."""
    for option in (quiet_option, json_option, platform_option, env_option):
        function = option(function)
    return function


def given_reason(_context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    """Callback of an option that takes a reason for the record: "" where it was not given. Raises
    UsageError for one that says nothing."""
    if value is None:
        return ""
    if not value.strip():
        raise UsageError(f"{parameter.opts[0]} wants a reason", hint="it stands in the record")
    return value.strip()


def release_version(name: str | None) -> int | None:
    """12 for ``v12`` and ``12``; None stays None. Raises UsageError for anything else."""
    if name is None:
        return None
    match = re.fullmatch(r"v?(\d{1,9})", name)
    if match is None:
        raise UsageError(f"{name!r} is not a release", hint="write it as v12")
    return int(match.group(1))


def again(verb: str, env_name: str | None) -> str:
    """The command line that goes on from where a run of ``verb`` was killed, for people."""
    return f"truegreen {verb}" + (f" --env {shlex.quote(env_name)}" if env_name else "")
