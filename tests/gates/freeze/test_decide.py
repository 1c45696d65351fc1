"""What is closed, when it opens, the runway, scopes; against a look at every minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truegreen.config.model import FreezeScope
from truegreen.gates.freeze.calendar import Calendar
from truegreen.gates.freeze.decide import decide
from truegreen.gates.freeze.runway import Runway, minutes, runway
from truegreen.gates.freeze.window import Subject, Window, closed_times
from truegreen.model import Status

START = datetime(2026, 6, 1, tzinfo=UTC)
END = START + timedelta(minutes=120)
MINUTE = timedelta(minutes=1)
SUBJECT = Subject("production", "raptor-prod", ("payments",))


def window(start: int, end: int, kind: str = "deny", **scope: tuple[str, ...]) -> Window:
    name = f"{kind} {start}"
    return Window(
        name, kind, START + start * MINUTE, START + end * MINUTE, scope=FreezeScope(**scope)
    )


def calendar(*windows: Window) -> Calendar:
    return Calendar(windows, (), START, END)


def needs(length: int) -> Runway:
    return Runway(length * MINUTE, timedelta(), 0)


windows = st.lists(
    st.builds(
        window, st.integers(0, 110), st.integers(0, 119), st.sampled_from(["deny", "deny", "allow"])
    ),
    max_size=6,
)


def is_open(found: list[Window], minute: int) -> bool:
    at = START + minute * MINUTE
    allows = [one for one in found if one.kind == "allow"]
    return not any(one.holds(at) for one in found if one.kind == "deny") and (
        not allows or any(one.holds(at) for one in allows)
    )


@settings(max_examples=300, deadline=None)
@given(found=windows, at=st.integers(0, 119), room=st.integers(0, 30))
def test_the_answer_is_what_a_look_at_every_minute_gives(
    found: list[Window], at: int, room: int
) -> None:
    def fits(minute: int) -> bool:
        stretch = range(minute, min(120, minute + max(1, room)))
        return all(is_open(found, one) for one in stretch)

    result = decide(calendar(*found), SUBJECT, START + at * MINUTE, needs(room))
    assert result.open == fits(at)
    opens = next((one for one in range(at, 120) if fits(one)), None)
    expected = None if opens is None else START + opens * MINUTE
    told = result.detail["opens"]
    assert (None if told is None else datetime.fromisoformat(told)) == expected


@given(found=windows)
def test_closed_times_do_not_touch_and_cover_exactly_the_closed_minutes(
    found: list[Window],
) -> None:
    closed = closed_times(found, START, END)
    assert all(one[1] < two[0] for one, two in pairwise(closed))
    for minute in range(120):
        at = START + minute * MINUTE
        assert any(start <= at < end for start, end in closed) == (not is_open(found, minute))


def test_a_release_that_would_not_be_over_before_the_freeze_is_refused() -> None:
    at = START + 10 * MINUTE
    result = decide(calendar(window(15, 60)), SUBJECT, at, runway([400.0] * 10, 300))
    assert result.status is Status.FAIL
    assert "begins in 5 min" in result.reason
    assert "a release takes 6 min 40 s, by the last 10" in result.reason
    assert "wait until 2026-06-01T01:00" in result.clears


def test_the_end_of_an_allow_window_is_a_freeze_too() -> None:
    result = decide(calendar(window(0, 15, "allow")), SUBJECT, START + 10 * MINUTE, needs(6))
    assert result.status is Status.FAIL
    assert "the allow window ends in 5 min" in result.reason


@pytest.mark.parametrize(
    ("durations", "floor", "length", "runs"),
    [
        ((), 300, 300, 0),
        ((10, 20, 30), 300, 300, 3),
        (tuple(range(100, 2100, 100)), 300, 1800, 20),
        ((100.0, -5.0, float("inf")), 60, 100, 1),
    ],
)
def test_the_runway_is_what_nine_of_ten_took_and_never_below_the_floor(
    durations: tuple[float, ...], floor: float, length: float, runs: int
) -> None:
    found = runway(durations, floor)
    assert (found.length.total_seconds(), found.runs) == (length, runs)


@pytest.mark.parametrize(
    ("scope", "meant"),
    [
        ({}, True),
        ({"environments": ("production",)}, True),
        ({"environments": ("staging",)}, False),
        ({"apps": ("raptor-*",)}, True),
        ({"apps": ("raptor",)}, False),
        ({"labels": ("eu", "payments")}, True),
        ({"labels": ("eu",)}, False),
        ({"environments": ("production",), "apps": ("x",)}, False),
    ],
)
def test_a_window_is_about_its_scope_only(scope: dict[str, tuple[str, ...]], meant: bool) -> None:
    found = window(0, 60, **scope)
    assert decide(calendar(found), SUBJECT, START, needs(0)).open == (not meant)


def test_an_allow_window_for_somebody_else_denies_nothing_here() -> None:
    theirs = window(0, 60, "allow", environments=("staging",))
    assert decide(calendar(theirs), SUBJECT, START + 90 * MINUTE, needs(0)).open


def test_a_moment_that_the_calendar_was_not_read_for_is_no_answer() -> None:
    for at in (START - MINUTE, END, datetime(2026, 6, 1)):
        with pytest.raises(ValueError, match="time"):
            decide(calendar(), SUBJECT, at, needs(0))


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3600, "1 h"), (90061, "1 d 1 h")],
)
def test_lengths_of_time_are_told_in_two_units(seconds: int, told: str) -> None:
    assert minutes(timedelta(seconds=seconds)) == told
