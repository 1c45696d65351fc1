"""The verb ``freeze``: its exit codes, its documents against their schemas, its pictures."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest

import truegreen
from truegreen.cli import root as verbs
from truegreen.cli.exits import run
from truegreen.gates.freeze.view import view
from truegreen.gates.freeze.window import Window
from truegreen.outputs.freeze_svg import calendar_svg
from truegreen.outputs.freeze_text import calendar_lines, share_closed

SCHEMAS = Path(truegreen.__file__).parent / "outputs" / "schemas"
AT = "2026-12-01T12:00:00Z"
FREEZE = """
[[window]]
name = "year <end> & \\"more\\""
start = 2026-12-21
end = 2027-01-03
reason = "nobody is there"
[[window]]
name = "evening"
start = 2026-01-02T18:00:00
end = 2026-01-03T00:00:00
rrule = "FREQ=WEEKLY;BYDAY=FR"
environments = ["production"]
"""


def call(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        run(verbs, [str(argument) for argument in arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def service(tmp_path: Path) -> Path:
    (tmp_path / "truegreen.toml").write_text(
        "[service]\nname = 'raptor'\n[env.production]\n[env.staging]\n"
        "[freeze]\nzone = 'Europe/Berlin'\n"
    )
    (tmp_path / "freeze.toml").write_text(FREEZE)
    return tmp_path


def document(name: str, printed: str) -> Any:
    told = json.loads(printed)
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.validate(told, schema)
    return told


def test_check_is_open_closed_or_cannot_say_by_its_exit_code(
    service: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("freeze", "check", service, "--at", AT) == 0
    assert capsys.readouterr().out.startswith("open: ")
    assert call("freeze", "check", service, "--at", "2026-12-24T00:00:00Z", "--json") == 4
    told = document("freeze-status", capsys.readouterr().out)
    assert told["detail"]["opens"] == "2027-01-03T23:00:00.000Z"
    (service / "freeze.toml").write_text("[[window]]\n")
    assert call("freeze", "check", service, "--at", AT) == 3
    printed = capsys.readouterr().out
    assert printed.startswith("UNKNOWN: ")
    assert "freeze.toml:1: window[0].start" in printed


def test_a_scope_is_asked_for_with_env(service: Path) -> None:
    friday = "2026-12-04T20:00:00+01:00"
    assert call("freeze", "check", service, "--at", friday) == 4
    assert call("freeze", "check", service, "--at", friday, "--env", "staging") == 0
    assert call("freeze", "check", service, "--at", friday, "--env", "moon") == 2


def test_status_is_check_at_this_moment(service: Path) -> None:
    (service / "freeze.toml").unlink()
    assert call("freeze", "status", service, "--quiet") == 0


@pytest.mark.parametrize("at", ["tomorrow", "2026-12-24T18:00:00", "", "0001-01-01T00:00:00+14:00"])
def test_a_moment_that_is_none_ends_with_2(service: Path, at: str) -> None:
    assert call("freeze", "check", service, "--at", at) == 2


def test_next_names_the_windows_ahead(service: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("freeze", "next", service, "--at", AT, "--limit", 4, "--json") == 0
    told = document("freeze-next", capsys.readouterr().out)
    assert (told["open"], told["open_until"]) == (True, "2026-12-04T17:00:00.000Z")
    assert [one["name"] for one in told["windows"]][:3] == ["evening"] * 3
    assert told["windows"][0]["in"] == 3 * 86400 + 5 * 3600
    assert call("freeze", "next", service, "--at", "2026-12-24T00:00:00Z") == 0
    assert "now   deny" in capsys.readouterr().out
    (service / "freeze.toml").write_text("x")
    assert call("freeze", "next", service) == 3


def test_the_calendar_as_text_and_as_a_document(
    service: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("freeze", "calendar", service, "--at", AT, "--days", 40) == 0
    printed = capsys.readouterr().out
    assert "     [1]  2    3    4+   5    6" in printed
    assert "21#  22#  23#  24#  25#  26#  27#" in printed
    assert "evening, and 5 more" in printed
    assert call("freeze", "calendar", service, "--at", AT, "--json") == 0
    told = document("freeze-calendar", capsys.readouterr().out)
    assert len(told["days"]) == 92


def test_the_calendar_as_svg_is_well_formed_and_says_each_day(
    service: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = service / "freeze.svg"
    assert call("freeze", "calendar", service, "--at", AT, "--days", 40, "--svg", file) == 0
    assert capsys.readouterr().out == ""
    tree = ElementTree.fromstring(file.read_text(encoding="utf-8"))
    titles = [one.text or "" for one in tree.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[0] == "Freezes of raptor"
    assert '2026-12-24 closed: year <end> & "more"' in titles
    assert "2026-12-04 25% closed: evening" in titles
    assert "2026-12-02 open" in titles
    assert len(titles) == 41
    text = file.read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in text
    assert "<script" not in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_days_on_which_the_clock_is_turned_have_their_own_length() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = Window(
        "night",
        "deny",
        datetime(2026, 10, 24, 22, tzinfo=UTC),  # midnight there
        datetime(2026, 10, 25, 5, tzinfo=UTC),  # six
    )
    now = datetime(2026, 10, 25, 12, tzinfo=UTC)
    (day,) = view([night], berlin, date(2026, 10, 25), date(2026, 10, 25), now)["days"]
    assert (day["hours"], day["closed"]) == (25, [[0.0, 0.28]])
    (day,) = view([], berlin, date(2026, 3, 29), date(2026, 3, 29), now)["days"]
    assert (day["hours"], day["closed"]) == (23, [])


def test_a_year_of_windows_draws_in_no_time_and_lists_what_repeats_once() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    hour = timedelta(hours=1)
    many = [
        Window(f"w{n % 30}", "deny", start + n * 6 * hour, start + (6 * n + 1) * hour)
        for n in range(1400)
    ]
    seen = view(many, ZoneInfo("UTC"), date(2026, 1, 1), date(2026, 12, 31), start)
    assert len(seen["days"]) == 365
    assert all(0 < share_closed(day) < 1 for day in seen["days"][:340])
    drawn = calendar_svg(seen, "x")
    assert "and 10 more" in drawn
    assert len(calendar_lines(seen)) < 150


def test_the_lock_is_written_and_checked(service: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("freeze", "lock", service, "--check") == 1
    assert "is not there" in capsys.readouterr().out
    assert call("freeze", "lock", service) == 0
    assert call("freeze", "lock", service, "--check") == 0
    (service / "freeze.toml").write_text(FREEZE.replace("18:00", "17:00"))
    assert call("freeze", "lock", service, "--check") == 1
    (service / "freeze.toml").write_text("x")
    before = (service / "freeze.lock").read_bytes()
    assert call("freeze", "lock", service) == 2
    assert (service / "freeze.lock").read_bytes() == before
