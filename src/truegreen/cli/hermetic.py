"""``truegreen hermetic``: the group. ``report`` is here; ``prove`` has its own file."""

from __future__ import annotations

import importlib

import click


class _Group(click.Group):
    """Imports ``prove`` when it is asked for: it needs what ``report`` does not."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), "prove"})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "prove":
            loaded = importlib.import_module("truegreen.cli.hermetic_prove")
            prove: click.Command = loaded.command
            return prove
        return super().get_command(ctx, cmd_name)


@click.command(cls=_Group)
def command() -> None:
    """What a test suite depends on besides its own code: say it, prove it."""
