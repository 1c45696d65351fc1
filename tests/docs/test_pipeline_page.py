"""docs/pipeline.md: its commands exist, and its numbers are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import click

from truegreen.cli import root
from truegreen.ship.lease import SECONDS
from truegreen.ship.memory import PIPELINE_VERSION

PAGE = (Path(__file__).parents[2] / "docs" / "pipeline.md").read_text(encoding="utf-8")


def test_every_command_of_the_page_is_one_with_these_options() -> None:
    commands = re.findall(r"^truegreen ([^#\n]+)", PAGE, flags=re.MULTILINE)
    assert len(commands) >= 8
    for text in commands:
        words = text.split()
        context = click.Context(root)
        command = root.get_command(context, words.pop(0))
        while isinstance(command, click.Group):
            command = command.get_command(context, words.pop(0))
        assert command is not None, text
        known = {option for parameter in command.params for option in parameter.opts}
        for word in words:
            assert not word.startswith("-") or word in known, (text, word)


def test_the_pages_numbers_are_the_codes() -> None:
    assert f"expires {SECONDS:.0f} seconds after its last heartbeat" in PAGE
    assert f"(`{PIPELINE_VERSION}`)" in PAGE
