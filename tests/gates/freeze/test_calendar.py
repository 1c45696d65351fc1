"""The whole calendar, from files to gate: read together, or unknown with file, line and key."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from truegreen.config import load_config
from truegreen.gates.freeze import ask
from truegreen.gates.freeze.asked import check_lock, write_lock
from truegreen.gates.question import Question
from truegreen.gates.result import GateResult
from truegreen.gates.serving import Past
from truegreen.model import Status
from truegreen.release.freeze import ask as ask_on_the_dyno

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
OWN = "[service]\nname = 'raptor'\n[freeze]\nzone = 'Europe/Berlin'\nrunway = 1\n"
WEEKEND = (
    "[[window]]\nname = 'weekend'\nstart = 2026-01-02T16:00:00\nend = 2026-01-05T07:00:00\n"
    "rrule = 'FREQ=WEEKLY;BYDAY=FR'\n"
)
ICS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:t\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Fair\r\n"
    "DTSTART;VALUE=DATE:20261208\r\nDTEND;VALUE=DATE:20261210\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
Ask = Callable[[datetime], GateResult]


@pytest.fixture
def service(tmp_path: Path) -> Path:
    (tmp_path / "truegreen.toml").write_text(
        OWN + "[[freeze.calendar]]\nfile = 'company.ics'\n[[freeze.holidays]]\ncountry = 'DE'\n"
    )
    (tmp_path / "freeze.toml").write_text(WEEKEND)
    (tmp_path / "company.ics").write_text(ICS)
    return tmp_path


def at(service: Path, moment: datetime, past: Past | None = None) -> GateResult:
    return ask(Question(load_config(service), now=moment, read_past=lambda: past or Past()))


def test_windows_of_every_file_shut_the_gate(service: Path) -> None:
    assert at(service, NOW).open
    for day, name in ((5, "weekend"), (8, "Fair"), (25, "Christmas Day")):
        result = at(service, datetime(2026, 12, day, 12, tzinfo=UTC))
        assert result.status is Status.FAIL
        assert name in {one.where for one in result.findings}
    read = [one["file"] for one in at(service, NOW).detail["sources"]]
    assert read == ["truegreen.toml", "freeze.toml", "company.ics"]


def test_the_runway_comes_from_what_earlier_runs_took(service: Path) -> None:
    late = datetime(2026, 12, 4, 14, 50, tzinfo=UTC)  # ten minutes before the weekend
    assert at(service, late).open
    slow = at(service, late, Past(durations=(900.0,)))
    assert slow.status is Status.FAIL
    assert "begins in 10 min" in slow.reason


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("freeze.toml", "", "freeze.toml: is empty"),
        ("freeze.toml", "[[window", "freeze.toml: is not valid TOML: "),
        ("freeze.toml", "window = 3", "freeze.toml:1: window: 3 is a number"),
        ("freeze.toml", b"\xff\xfe\x00", "freeze.toml:1: is not UTF-8 text"),
        ("freeze.toml", "x = 1", "freeze.toml:1: x: is not a known key"),
        ("freeze.toml", WEEKEND + "zone = 'Berlin'\n", "freeze.toml:6: window[0].zone: 'Berlin'"),
        ("freeze.toml", WEEKEND + "kind = 'alow'\n", "freeze.toml:6: window[0].kind: 'alow'"),
        ("freeze.toml", WEEKEND + "reson = 'x'\n", "did you mean window[0].reason?"),
        ("freeze.toml", WEEKEND.replace("FR", "MO"), "freeze.toml:5: window[0].rrule"),
        ("freeze.toml", WEEKEND * 2 + "skip = [1]\n", "freeze.toml:11: window[1].skip: 1 is a"),
        ("freeze.toml", "[[holidays]]\ncountry = 'XX'", "freeze.toml:2: holidays[0].country"),
        (
            "freeze.toml",
            "[[holidays]]\ncountry = 'DE'\nsubdivision = 'QQ'",
            "freeze.toml:3: holidays[0].subdivision",
        ),
        ("freeze.toml", "[[calendar]]\nfile = 'gone.ics'", "gone.ics: cannot be read: No such"),
        ("company.ics", "BEGIN:VCALENDAR", "company.ics: holds no VCALENDAR"),
        ("company.ics", None, "company.ics: cannot be read: No such file"),
        ("company.ics", "x" * (4 * 1024 * 1024 + 1), "company.ics: is larger than 4194304 bytes"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_unknown_with_file_line_and_key(
    service: Path, file: str, content: str | bytes | None, says: str
) -> None:
    path = service / file
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    result = at(service, NOW)
    assert result.status is Status.UNKNOWN
    assert says in result.reason + result.clears
    assert "truegreen freeze status" in result.clears


def test_a_freeze_file_that_leads_nowhere_is_not_an_absent_one(service: Path) -> None:
    (service / "freeze.toml").unlink()
    (service / "freeze.toml").symlink_to(service / "gone.toml")
    assert at(service, NOW).status is Status.UNKNOWN
    (service / "freeze.toml").unlink()
    (service / "freeze.toml").mkdir()
    assert at(service, NOW).status is Status.UNKNOWN


def test_a_moment_at_the_end_of_time_is_unknown(service: Path) -> None:
    assert at(service, datetime(9999, 12, 31, tzinfo=UTC)).status is Status.UNKNOWN
    assert at(service, datetime(1, 1, 1, tzinfo=UTC)).status is Status.UNKNOWN


def test_the_lock_answers_on_the_dyno_as_the_gate_does_here(service: Path) -> None:
    write_lock(load_config(service), NOW)
    config = load_config(service)
    deploy = {"HEROKU_SLUG_DESCRIPTION": "Deploy 1234", "HEROKU_APP_NAME": "raptor"}
    random = Random(7)
    answers = set()
    for _ in range(40):
        moment = NOW + timedelta(minutes=random.randrange(60 * 24 * 60))
        here = at(service, moment)
        there = ask_on_the_dyno(config, deploy, moment)
        if "begins in" not in here.reason:  # the runway is asked about before, and not on the dyno
            assert bool(there.problem) == (not here.open), moment
        answers.add(here.open)
    assert answers == {True, False}


def test_a_lock_is_checked_against_the_calendar(service: Path) -> None:
    config = load_config(service)
    assert "is not there" in check_lock(config, NOW)
    write_lock(config, NOW)
    assert check_lock(config, NOW) == ""
    before = (service / "freeze.lock").read_bytes()
    write_lock(config, NOW)
    assert (service / "freeze.lock").read_bytes() == before
    (service / "freeze.toml").write_text(WEEKEND.replace("16:00", "15:00"))
    assert "says something else by now" in check_lock(config, NOW)
    told = at(service, NOW)
    assert told.open  # the release command would still be right about most of it
    assert [one.kind for one in told.findings] == ["lock"]


@pytest.mark.parametrize("content", ["", "{}", '{"format": "truegreen-freeze/2"}', "[1]", "\x00"])
def test_a_lock_that_the_dyno_could_not_read_keeps_the_gate_shut(
    service: Path, content: str
) -> None:
    (service / "freeze.lock").write_text(content)
    result = at(service, NOW)
    assert result.status is Status.UNKNOWN
    assert result.reason.startswith("freeze.lock: ")
    assert "truegreen freeze lock" in result.clears


def test_a_lock_that_has_ended_keeps_the_gate_shut_and_one_that_ends_soon_is_told(
    service: Path,
) -> None:
    write_lock(load_config(service), NOW - timedelta(days=500))
    assert at(service, NOW).status is Status.UNKNOWN
    write_lock(load_config(service), NOW - timedelta(days=380))
    soon = at(service, NOW)
    assert soon.open
    assert "it ends at" in soon.findings[0].text


def test_a_lock_holds_nothing_of_this_machine(service: Path) -> None:
    write_lock(load_config(service), NOW)
    text = (service / "freeze.lock").read_text()
    assert str(service) not in text
    assert set(json.loads(text)) == {"format", "from", "until", "windows"}
