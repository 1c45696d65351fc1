"""The live view: drawn on a terminal, silent elsewhere and when told to be quiet."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from truegreen.model import Evidence, Status
from truegreen.outputs.live import LiveView, Ticker


@pytest.fixture
def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)


def drive(view: LiveView) -> None:
    with view:
        view.step("build", "running", "9f02")
        view.output("build", "-----> Installing requirements")
        view.output("release", 'truegreen-report/1 {"complete":false}')
        view.step("build", "done", "9f02")
        view.step("release", "failed", "v5 failed")
        view.evidence(
            Evidence("code.slug", Status.FAIL, "x", "y", "z", datetime(2026, 6, 21, tzinfo=UTC))
        )


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_on_a_terminal_steps_and_checks_are_drawn(terminal: Console) -> None:
    drive(LiveView(quiet=False, console=terminal))
    shown = text_of(terminal)
    assert "✔" in shown
    assert "✘" in shown
    assert "v5 failed" in shown
    assert "truegreen-report/1" not in shown


def test_quiet_and_no_terminal_draw_nothing(terminal: Console) -> None:
    drive(LiveView(quiet=True, console=terminal))
    assert text_of(terminal) == ""
    plain = Console(file=io.StringIO(), width=100)
    drive(LiveView(quiet=False, console=plain))
    with Ticker("drill", quiet=False, console=plain) as ticker:
        ticker.say("working")
    assert text_of(plain) == ""


def test_markup_in_output_is_text(terminal: Console) -> None:
    with LiveView(quiet=False, console=terminal) as view:
        view.step("release", "running", "[red]v5[/red] [")
        view.output("release", "[/nonsense]")


def test_a_release_commands_output_moves_no_cursor() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)
    with LiveView(quiet=False, console=console) as view:
        view.step("release", "running", "v4\x1b[2J")
        view.output("release", "\x1b[1A\x1b[2Kgreen\x9b31m\tdone")
        assert view._tail[0].split() == ["[1A", "[2Kgreen", "31m", "done"]
        assert view._steps["release"][1] == "v4 [2J"
