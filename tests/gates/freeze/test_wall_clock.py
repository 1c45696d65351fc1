"""The freeze gate against a reference that walks the wall clock minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from truegreen.config import Freeze, FreezeWindow, parse_config
from truegreen.gates.freeze import ask
from truegreen.gates.question import Question
from truegreen.gates.result import GateResult
from truegreen.model import Status

MINUTE = timedelta(minutes=1)
# A change of the clock in each: (zone, a day close to it). Lord Howe turns by 30 minutes.
CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29)),
    ("Europe/Berlin", datetime(2026, 10, 25)),
    ("America/New_York", datetime(2026, 3, 8)),
    ("America/New_York", datetime(2026, 11, 1)),
    ("Australia/Lord_Howe", datetime(2026, 4, 5)),
    ("Australia/Lord_Howe", datetime(2026, 10, 4)),
    ("America/St_Johns", datetime(2026, 3, 8)),
    ("Africa/Casablanca", datetime(2026, 2, 15)),
    ("UTC", datetime(2026, 3, 29)),
]


def decide(freeze: Freeze, at: datetime) -> GateResult:
    """The gate's answer at ``at``, without a runway: that has tests of its own."""
    config = parse_config({}, file=None, root=Path("/nowhere"))
    return ask(Question(config._replace(freeze=freeze._replace(runway=0.0)), now=at))


def window(start: datetime, end: datetime, zone: str = "UTC", kind: str = "deny") -> FreezeWindow:
    return FreezeWindow("w", start, end, zone, "because", kind)


@lru_cache(maxsize=64)
def wall_clock(zone: str, day: datetime) -> list[tuple[datetime, datetime]]:
    """Every UTC minute of some three days around ``day``, with what the clock on the wall shows."""
    first = (day - timedelta(hours=32)).replace(tzinfo=UTC)
    place = ZoneInfo(zone)
    minutes = [first + n * MINUTE for n in range(68 * 60)]
    return [(at, at.astimezone(place).replace(tzinfo=None, fold=0)) for at in minutes]


def shows(zone: str, day: datetime, wall: datetime) -> bool:
    return any(shown == wall for _, shown in wall_clock(zone, day))


def reference(
    zone: str, day: datetime, start: datetime, end: datetime, kind: str
) -> tuple[datetime, datetime]:
    """The first minute of the window and the first after it, off the wall clock, without ``fold``.

    deny: from the first minute that shows start or later, to the last that shows less than end.
    allow: from when the clock never again shows less than start, until it first shows end.
    """
    clock = wall_clock(zone, day)
    if kind == "deny":
        first = next(at for at, shown in clock if shown >= start)
        return first, next(at for at, shown in reversed(clock) if shown < end) + MINUTE
    first = next(at for at, shown in reversed(clock) if shown < start) + MINUTE
    return first, next(at for at, shown in clock if shown >= end)


@settings(max_examples=150, deadline=None)
@given(
    place=st.sampled_from(CHANGES),
    offset=st.integers(-240, 300),
    length=st.integers(1, 480),
    probe=st.integers(-900, 1200),
    kind=st.sampled_from(["deny", "allow"]),
)
@example(place=CHANGES[1], offset=150, length=1, probe=60, kind="deny")
@example(place=CHANGES[0], offset=150, length=10, probe=60, kind="deny")
@example(place=CHANGES[0], offset=150, length=10, probe=90, kind="allow")
@example(place=CHANGES[4], offset=0, length=1, probe=782, kind="allow")  # over since a day
def test_a_window_holds_exactly_when_the_wall_clock_says_so(
    place: tuple[str, datetime], offset: int, length: int, probe: int, kind: str
) -> None:
    zone, day = place
    start = day + offset * MINUTE
    end = start + length * MINUTE
    at = day.replace(tzinfo=UTC) + probe * MINUTE
    freeze = Freeze((window(start, end, zone, kind),))
    first, after = reference(zone, day, start, end, kind)
    inside = first <= at < after
    result = decide(freeze, at)
    is_shut = result.status is Status.FAIL
    should_be_shut = inside if kind == "deny" else not inside
    if shows(zone, day, start) and shows(zone, day, end):
        assert is_shut == should_be_shut
    elif should_be_shut:  # an edge that does not exist: may only be shut for longer
        assert is_shut


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_every_minute_of_a_night_across_the_change_of_the_clock(zone: str, day: datetime) -> None:
    start, end = day - timedelta(hours=2), day + timedelta(hours=6)  # 22:00 to 06:00
    freeze = Freeze((window(start, end, zone),))
    first, after = reference(zone, day, start, end, "deny")
    minutes = [at for at, _ in wall_clock(zone, day)[::7]]
    denied = [at for at in minutes if not decide(freeze, at).open]
    assert denied == [at for at in minutes if first <= at < after]


def test_the_autumn_night_from_22_to_06_is_nine_hours_long() -> None:
    night = window(datetime(2026, 10, 24, 22), datetime(2026, 10, 25, 6), "Europe/Berlin")
    assert decide(Freeze((night,)), datetime(2026, 10, 24, 20, tzinfo=UTC)).status is Status.FAIL
    assert decide(Freeze((night,)), datetime(2026, 10, 25, 4, 59, tzinfo=UTC)).status is Status.FAIL
    assert decide(Freeze((night,)), datetime(2026, 10, 25, 5, tzinfo=UTC)).status is Status.PASS


def test_a_time_that_comes_twice_begins_early_and_ends_late_for_deny() -> None:
    twice = window(datetime(2026, 10, 25, 2, 30), datetime(2026, 10, 25, 2, 45), "Europe/Berlin")
    shut = [
        minute
        for minute in range(120)
        if not decide(
            Freeze((twice,)), datetime(2026, 10, 25, 0, tzinfo=UTC) + minute * MINUTE
        ).open
    ]
    assert shut == list(range(30, 105))


def test_an_allow_window_on_a_time_that_comes_twice_never_opens_in_doubt() -> None:
    twice = window(
        datetime(2026, 10, 25, 2, 30), datetime(2026, 10, 25, 2, 45), "Europe/Berlin", "allow"
    )
    at = datetime(2026, 10, 25, 0, 35, tzinfo=UTC)
    result = decide(Freeze((twice,)), at)
    assert result.status is Status.FAIL
    assert "nothing opens it by itself" in result.clears


def test_the_reason_names_the_window_and_its_end_and_clears_says_when_it_opens() -> None:
    first = FreezeWindow(
        "Christmas", datetime(2026, 12, 24), datetime(2026, 12, 27), "UTC", "nobody is there"
    )
    second = FreezeWindow("stocktaking", datetime(2026, 12, 27), datetime(2026, 12, 28))
    result = decide(Freeze((first, second)), datetime(2026, 12, 25, tzinfo=UTC))
    assert result.status is Status.FAIL
    assert "'Christmas' (nobody is there) holds until 2026-12-27 00:00 UTC" in result.reason
    assert "2026-12-28T00:00:00.000Z" in result.clears  # the next window follows at once
    assert [finding.where for finding in result.findings] == ["Christmas"]


def test_deny_wins_over_allow() -> None:
    start, end = datetime(2026, 1, 1), datetime(2026, 1, 10)
    both = Freeze(
        (
            window(start, end, kind="allow"),
            window(start + timedelta(days=2), start + timedelta(days=3)),
        )
    )
    assert decide(both, datetime(2026, 1, 2, tzinfo=UTC)).open
    assert not decide(both, datetime(2026, 1, 3, 12, tzinfo=UTC)).open
    assert not decide(both, datetime(2026, 1, 11, tzinfo=UTC)).open


def test_without_windows_it_is_open_and_says_why() -> None:
    result = decide(Freeze(), datetime(2026, 1, 1, tzinfo=UTC))
    assert result.open
    assert result.reason == "no freeze windows are configured for this"


@pytest.mark.parametrize(
    "zone", ["Europe/Atlantis", "", "../../etc/passwd", "America", "localtime", "a\0b"]
)
def test_a_zone_that_is_not_known_is_named_and_the_gate_does_not_open(zone: str) -> None:
    odd = window(datetime(2026, 1, 1), datetime(2026, 1, 2), zone)
    result = decide(Freeze((odd,)), datetime(2026, 1, 1, tzinfo=UTC))
    assert result.status is Status.UNKNOWN
    assert f"freeze.window[0].zone: {zone!r} is not a known time zone" in result.reason


def test_a_window_at_the_end_of_time_is_unknown_and_no_traceback() -> None:
    far = window(datetime(9999, 12, 31, 23), datetime.max.replace(microsecond=0), "America/Lima")
    result = decide(Freeze((far,)), datetime(2026, 1, 1, tzinfo=UTC))
    assert result.status is Status.UNKNOWN
    assert "out of range" in result.reason


@pytest.mark.parametrize("days", [-500, -2, 2, 500])
def test_an_allow_window_that_is_long_over_or_far_away_still_closes_everything_else(
    days: int,
) -> None:
    start = datetime(2026, 3, 1) + timedelta(days=days)
    freeze = Freeze((window(start, start + timedelta(hours=1), kind="allow"),))
    answer = decide(freeze, datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert answer.status is Status.FAIL
    assert "lies in none of the allow windows" in answer.reason
