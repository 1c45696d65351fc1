"""ICS files: read as they are meant, and every silence of the libraries is an error here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import icalendar
import pytest
import recurring_ical_events

from truegreen.config import FreezeWindow
from truegreen.config.model import FreezeCalendar
from truegreen.errors import ConfigError
from truegreen.gates.freeze import ics, rules

YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
HOUR = timedelta(hours=1)


def event(*lines: str) -> str:
    return "\r\n".join(("BEGIN:VEVENT", "UID:u", "SUMMARY:Freeze", *lines, "END:VEVENT", ""))


def calendar(*events: str) -> str:
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t\r\n{''.join(events)}END:VCALENDAR\r\n"


def read(text: str, **more: Any) -> list[tuple[datetime, datetime]]:
    rule = FreezeCalendar(Path("company.ics"), **more)
    return [(one.start, one.end) for one in ics.windows_of(rule, text, *YEAR)]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


AUTUMN = ("DTSTART;TZID=Europe/Berlin:20261024T220000", "DTEND;TZID=Europe/Berlin:20261025T060000")


def test_an_event_is_a_window_by_the_wall_clock_of_its_zone() -> None:
    assert read(calendar(event(*AUTUMN))) == [(utc(2026, 10, 24, 20), utc(2026, 10, 25, 5))]


def test_a_day_is_a_day_of_the_calendars_zone_and_a_floating_time_too() -> None:
    day = event("DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227")
    one = event("DTSTART;VALUE=DATE:20261224")
    assert read(calendar(day), zone="Asia/Tokyo") == [
        (utc(2026, 12, 23, 15), utc(2026, 12, 26, 15))
    ]
    assert read(calendar(one), zone="Asia/Tokyo") == [
        (utc(2026, 12, 23, 15), utc(2026, 12, 24, 15))
    ]
    floating = event("DTSTART:20261224T120000", "DTEND:20261224T130000")
    assert read(calendar(floating), zone="Asia/Tokyo") == [
        (utc(2026, 12, 24, 3), utc(2026, 12, 24, 4))
    ]


def test_rules_exceptions_and_cancelled_occurrences_are_the_calendars() -> None:
    weekly = event(
        "DTSTART;TZID=Europe/Berlin:20261016T220000",
        "DTEND;TZID=Europe/Berlin:20261017T060000",
        "RRULE:FREQ=WEEKLY;COUNT=5",
        "EXDATE;TZID=Europe/Berlin:20261023T220000",
    )
    called_off = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20261106T220000",
        "STATUS:CANCELLED",
        "DTSTART;TZID=Europe/Berlin:20261106T220000",
        "DTEND;TZID=Europe/Berlin:20261107T060000",
    )
    starts = [start for start, _ in read(calendar(weekly, called_off))]
    assert starts == [utc(2026, 10, 16, 20), utc(2026, 10, 30, 21), utc(2026, 11, 13, 21)]


def test_a_duration_across_the_change_has_two_readings_and_deny_takes_the_longer() -> None:
    """RFC 5545 wants eight hours, recurring-ical-events gives eight on the wall, which are nine."""
    text = calendar(event(AUTUMN[0], "DURATION:PT8H"))
    (theirs,) = recurring_ical_events.of(icalendar.Calendar.from_ical(text)).between(*YEAR)
    span = theirs["DTEND"].dt.astimezone(UTC) - theirs["DTSTART"].dt.astimezone(UTC)
    assert span == 9 * HOUR
    ((start, end),) = read(text)
    assert end - start == 9 * HOUR
    ((start, end),) = read(text, kind="allow")
    assert end - start == 8 * HOUR
    spring = event("DTSTART;TZID=Europe/Berlin:20260328T220000", "DURATION:PT8H")
    ((start, end),) = read(calendar(spring))
    assert end - start == 8 * HOUR


def test_the_same_rule_means_the_same_in_toml_and_in_ics() -> None:
    text = calendar(
        event(
            "DTSTART;TZID=America/New_York:20260102T230000",
            "DTEND;TZID=America/New_York:20260103T033000",
            "RRULE:FREQ=WEEKLY;BYDAY=FR,SA",
        )
    )
    rule = FreezeWindow(
        "Freeze",
        datetime(2026, 1, 2, 23),
        datetime(2026, 1, 3, 3, 30),
        "America/New_York",
        rrule="FREQ=WEEKLY;BYDAY=FR,SA",
    )
    assert read(text) == [(one.start, one.end) for one in rules.windows_of(rule, *YEAR)]


def test_only_events_whose_summary_fits_count() -> None:
    party = event(*AUTUMN).replace("SUMMARY:Freeze", "SUMMARY:Party").replace("UID:u", "UID:p")
    assert len(read(calendar(event(*AUTUMN), party))) == 2
    assert len(read(calendar(event(*AUTUMN), party), summary="Fr*")) == 1


@pytest.mark.parametrize(
    ("lines", "line", "key", "says"),
    [
        (("DTSTART:hello", "DTEND:20261225T000000Z"), 7, "VEVENT.DTSTART", "Got: 'hello'"),
        (("DTSTART;TZID=Mars/Olympus:20261024T220000", AUTUMN[1]), 7, "VEVENT.DTSTART",
         "'Mars/Olympus' is not a known time zone"),
        ((AUTUMN[0],), 4, "VEVENT.DTEND", "is missing, and so is DURATION"),
        ((), 4, "VEVENT.DTSTART", "is missing"),
        (("DTSTART:20261024T220000Z", "DTEND:20261024T210000Z"), 8, "VEVENT.DTEND", "not after"),
        (("DTSTART:20261024T220000Z", "DTEND:20261024T220000Z"), 8, "VEVENT.DTEND", "not after"),
        (("DTSTART;VALUE=DATE:20261024", "DTEND:20261025T210000Z"), 8, "VEVENT.DTEND",
         "is a day and DTSTART a time"),
        (("DTSTART:20261024T220000", "DTEND:20261025T210000Z"), 8, "VEVENT.DTEND",
         "has a zone and DTSTART none"),
        ((*AUTUMN, "RRULE:FREQ=NEVER"), 9, "VEVENT.RRULE", "NEVER"),
        ((*AUTUMN, "RRULE:FREQ=SECONDLY"), 9, "VEVENT.RRULE", "FREQ=SECONDLY"),
        ((*AUTUMN, "RRULE:FREQ=DAILY;INTERVAL=0"), 9, "VEVENT.RRULE", "INTERVAL is below 1"),
        ((*AUTUMN, "RRULE:FREQ=DAILY;BYSECOND=1,2,3"), 9, "VEVENT.RRULE", "time of day"),
        (("no colon here", *AUTUMN), 4, "VEVENT", "no colon here"),
        (("DTSTART:20261024T220000Z", "DURATION:-PT1H"), 8, "VEVENT.DURATION", "above nothing"),
    ],
)  # fmt: skip
def test_what_the_libraries_pass_over_is_an_error_with_its_line(
    lines: tuple[str, ...], line: int, key: str, says: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(calendar(event(*lines)))
    assert (caught.value.line, caught.value.key) == (line, key)
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"company.ics:{line}: {key}: ")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n",
        event(*AUTUMN),
        "\0" * 100,
        calendar(event(*AUTUMN))[:-40],
        "END:VCALENDAR\r\n",
    ],
)
def test_what_is_no_calendar_is_an_error_and_not_an_empty_one(text: str) -> None:
    with pytest.raises(ConfigError):
        read(text)


def test_of_two_events_with_one_uid_none_is_dropped_silently() -> None:
    later = event("DTSTART:20261101T000000Z", "DTEND:20261101T010000Z")
    with pytest.raises(ConfigError, match=r"company.ics:11: VEVENT.UID: another event has it too"):
        read(calendar(event(*AUTUMN), later))
    assert len(read(calendar(event(*AUTUMN), later.replace("UID:u", "UID:u2")))) == 2
    nameless = [one.replace("UID:u\r\n", "") for one in (event(*AUTUMN), later)]
    with pytest.raises(ConfigError, match="UID"):
        read(calendar(*nameless))


def test_two_calendars_in_one_file_are_both_read() -> None:
    later = event("DTSTART:20261101T000000Z", "DTEND:20261101T010000Z")
    assert len(read(calendar(event(*AUTUMN)) + calendar(later))) == 2
