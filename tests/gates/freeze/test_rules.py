"""Repeated windows against recurring-ical-events, which repeats the same events by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st

from truegreen.config import FreezeWindow
from truegreen.errors import ConfigError
from truegreen.gates.freeze.rules import windows_of

# Each with the days around which its clock is turned; Casablanca's follow Ramadan, Lord Howe turns
# by 30 minutes, Dublin's winter time is the one that counts as turned, Apia lost a day once.
ZONES = {
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
    "Africa/Casablanca": (date(2026, 2, 15), date(2026, 3, 22)),
    "America/St_Johns": (date(2026, 3, 8), date(2026, 11, 1)),
    "Pacific/Chatham": (date(2026, 4, 5), date(2026, 9, 27)),
    "Europe/Dublin": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/Santiago": (date(2026, 4, 4), date(2026, 9, 5)),
    "UTC": (date(2026, 3, 29), date(2026, 12, 31)),
}
RULES = (
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
    "FREQ=MONTHLY",
    "FREQ=YEARLY",
    "FREQ=DAILY;COUNT=5",
)
HOUR = timedelta(hours=1)


def window(start: datetime, end: datetime, rrule: str, **more: Any) -> FreezeWindow:
    return FreezeWindow("w", start, end, rrule=rrule, **more)


def reference(
    rule: FreezeWindow, first: datetime, last: datetime
) -> list[tuple[datetime, datetime]]:
    """(local start, local end) by the library, of the event that says the same."""
    form = "%Y%m%dT%H%M%S"
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test\r\nBEGIN:VEVENT\r\nUID:1\r\n"
        f"DTSTART;TZID={rule.zone}:{rule.start.strftime(form)}\r\n"
        f"DTEND;TZID={rule.zone}:{rule.end.strftime(form)}\r\n"
        f"RRULE:{rule.rrule}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    calendar = icalendar.Calendar.from_ical(text)
    found = recurring_ical_events.of(calendar).between(first, last)
    return sorted((one["DTSTART"].dt, one["DTEND"].dt) for one in found)


def exists_once(moment: datetime) -> bool:
    """The wall-clock time is shown exactly once by the clock in its zone."""
    early, late = (moment.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return early == late


@settings(max_examples=120, deadline=None)
@given(
    zone=st.sampled_from(sorted(ZONES)),
    spring=st.booleans(),
    days_before=st.integers(0, 400),
    minute=st.integers(0, 24 * 60 - 1),
    length=st.integers(1, 72 * 60),
    rrule=st.sampled_from(RULES),
)
def test_a_rule_repeats_as_the_calendar_library_repeats_it(
    zone: str, spring: bool, days_before: int, minute: int, length: int, rrule: str
) -> None:
    change = ZONES[zone][0 if spring else 1]
    start = datetime(change.year, change.month, change.day) - timedelta(days=days_before)
    start += timedelta(minutes=minute)
    rule = window(start, start + timedelta(minutes=length), rrule, zone=zone)
    middle = datetime(change.year, change.month, change.day, tzinfo=UTC)
    first, last = middle - timedelta(days=4), middle + timedelta(days=4)
    ours = [one for one in windows_of(rule, first, last) if one.start < last and one.end > first]
    theirs = reference(rule, first, last)
    told = [(s, e) for s, e in theirs if s.astimezone(UTC) < last and e.astimezone(UTC) > first]
    if all(exists_once(s) and exists_once(e) for s, e in told):
        assert [(w.start, w.end) for w in ours] == [
            (s.astimezone(UTC), e.astimezone(UTC)) for s, e in told
        ]
    for start_, end_ in told:  # in doubt a deny window is longer, and never shorter
        begins, ends = start_.astimezone(UTC), end_.astimezone(UTC)
        assert begins >= ends or any(w.start <= begins and w.end >= ends for w in ours)


def test_every_night_is_as_long_as_the_clock_on_the_wall_says() -> None:
    night = window(
        datetime(2026, 1, 1, 22), datetime(2026, 1, 2, 6), "FREQ=DAILY", zone="Europe/Berlin"
    )
    year = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    lengths = {one.start.date(): (one.end - one.start) / HOUR for one in windows_of(night, *year)}
    assert lengths.pop(date(2026, 3, 28)) == 7
    assert lengths.pop(date(2026, 10, 24)) == 9
    assert set(lengths.values()) == {8}


def test_a_leap_day_comes_in_leap_years_only_and_the_31st_in_months_that_have_one() -> None:
    leap = window(datetime(2024, 2, 29), datetime(2024, 3, 1), "FREQ=YEARLY")
    decade = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2034, 1, 1, tzinfo=UTC))
    assert [one.start.year for one in windows_of(leap, *decade)] == [2024, 2028, 2032]
    last = window(datetime(2026, 1, 31), datetime(2026, 2, 1), "FREQ=MONTHLY;BYMONTHDAY=31")
    year = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert [one.start.month for one in windows_of(last, *year)] == [1, 3, 5, 7, 8, 10, 12]


def test_a_window_over_the_end_of_the_year_is_found_from_both_sides() -> None:
    end = window(datetime(2020, 12, 24, 18), datetime(2021, 1, 2, 8), "FREQ=YEARLY")
    first = datetime(2027, 1, 1, 12, tzinfo=UTC)
    (found,) = windows_of(end, first, first + HOUR)
    assert found.start == datetime(2026, 12, 24, 18, tzinfo=UTC)
    assert found.end == datetime(2027, 1, 2, 8, tzinfo=UTC)


def test_skipped_days_are_those_of_the_local_start() -> None:
    rule = window(
        datetime(2026, 1, 2, 0, 30),
        datetime(2026, 1, 2, 5),
        "FREQ=WEEKLY;BYDAY=FR",
        zone="Pacific/Auckland",
        skip=(date(2026, 1, 9),),
    )
    january = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 20, tzinfo=UTC))
    local = [
        one.start.astimezone(ZoneInfo("Pacific/Auckland")) for one in windows_of(rule, *january)
    ]
    assert [one.day for one in local] == [2, 16]


def test_an_until_in_utc_ends_the_rule_at_that_instant() -> None:
    rule = window(
        datetime(2026, 1, 1, 23, 30),
        datetime(2026, 1, 2, 1),
        "FREQ=DAILY;UNTIL=20260103T223000Z",
        zone="Europe/Berlin",
    )
    january = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 20, tzinfo=UTC))
    assert [one.start.day for one in windows_of(rule, *january)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("rrule", "says"),
    [
        ("FREQ=WEEKLI", "FREQ is WEEKLI (one of YEARLY, MONTHLY, WEEKLY, DAILY)"),
        ("FREQ=HOURLY", "FREQ is HOURLY"),
        ("INTERVAL=2", "FREQ is nothing"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0 is out of range"),
        ("FREQ=DAILY;COUNT=0", "COUNT=0 is out of range"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH=13 is out of range"),
        ("FREQ=WEEKLY;BYDAY=XX", "invalid 'BYDAY': XX"),
        ("FREQ=WEEKLY;BYDAI=FR", "BYDAI is not known (did you mean BYDAY?)"),
        ("FREQ=WEEKLY;BYHOUR=3", "BYHOUR has no place here"),
        ("FREQ=WEEKLY;", "'' is not NAME=VALUE"),
        ("FREQ=WEEKLY;FREQ=DAILY", "FREQ stands in it twice"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "has both COUNT and UNTIL"),
        ("FREQ=DAILY;UNTIL=soon", "invalid 'UNTIL'"),
        ("FREQ=DAILY;UNTIL=2027Z", "UNTIL=2027Z is not a time"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "names a day that none of its months has"),
        ("FREQ=WEEKLY;BYDAY=MO", "does not fit its own start"),
        ("FREQ=DAILY;INTERVAL=two", "INTERVAL=TWO is not a whole number"),
    ],
)
def test_a_rule_that_means_nothing_is_named_with_its_key(rrule: str, says: str) -> None:
    rule = window(datetime(2026, 1, 2), datetime(2026, 1, 3), rrule, file="f.toml", key="window[3]")
    with pytest.raises(ConfigError) as caught:
        list(windows_of(rule, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)))
    assert (caught.value.file, caught.value.key) == ("f.toml", "window[3].rrule")
    assert says in str(caught.value)
