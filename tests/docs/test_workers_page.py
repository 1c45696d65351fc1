"""docs/workers.md: its options are the verbs', and its words are those that the code says."""

from __future__ import annotations

import re
from pathlib import Path

from truegreen.cli.board import command as board
from truegreen.cli.releases import command as releases
from truegreen.cli.ship import command as ship
from truegreen.workers.queue import MOST_LOST, SECONDS
from truegreen.workers.worker import GRACE

PAGE = (Path(__file__).parents[2] / "docs" / "workers.md").read_text(encoding="utf-8")


def test_every_option_of_the_page_is_one_of_the_verbs() -> None:
    known: set[str] = set()
    for command in (board, ship, releases):
        known |= {option for parameter in command.params for option in parameter.opts}
    named = set(re.findall(r"--[a-z][a-z-]+", PAGE))
    assert {"--enqueue", "--worker", "--follow"} < named
    assert named <= known


def test_its_times_and_numbers_are_the_codes() -> None:
    assert f"no heartbeat for {SECONDS:g} seconds" in PAGE
    assert f"`--grace` seconds ({GRACE:g})" in PAGE
    assert MOST_LOST == 5
    assert "five workers went away" in PAGE
    defaults = {parameter.name: parameter.default for parameter in board.params}
    assert defaults["grace"] == GRACE
