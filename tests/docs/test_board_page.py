"""docs/board.md: its options and its address are the verb's."""

from __future__ import annotations

import re
from pathlib import Path

from truegreen.cli.board import command

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "board.md").read_text(encoding="utf-8")


def test_every_option_of_the_page_is_the_verbs() -> None:
    known = {option for parameter in command.params for option in parameter.opts}
    named = set(re.findall(r"--[a-z][a-z-]+", PAGE))
    assert named
    assert named <= known


def test_the_default_address_is_the_pages() -> None:
    defaults = {parameter.name: parameter.default for parameter in command.params}
    assert f"http://{defaults['listen']}:{defaults['port']}/" in PAGE


def test_the_pictures_are_there_and_small_enough() -> None:
    for name in re.findall(r"pictures/([a-z-]+\.png)", PAGE):
        assert 10_000 < (DOCS / "pictures" / name).stat().st_size < 200_000, name
