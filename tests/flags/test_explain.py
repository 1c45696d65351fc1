"""explain, diff and stale: three things stay three, and no secret is shown."""

from __future__ import annotations

from datetime import date

import pytest

from truegreen.config import FlagDeclaration
from truegreen.flags import Flags
from truegreen.flags.explain import differences, explain, told

TODAY = date(2026, 6, 21)
FLAGS = Flags(
    "FLAG_",
    {
        flag.name: flag
        for flag in (
            FlagDeclaration("FLAG_A", owner="web", expires=TODAY),
            FlagDeclaration("FLAG_N", type="int", default=3, expires=date(2026, 6, 22)),
            FlagDeclaration("FLAG_KEY", type="str", default="", secret=True),
            FlagDeclaration("FLAG_HOOK", type="url", default=""),
            FlagDeclaration("FLAG_OPEN", fail="open"),
        )
    },
)


def test_absent_off_and_default_are_three_things() -> None:
    absent = explain(FLAGS, {}, TODAY).flags[0]
    off = explain(FLAGS, {"FLAG_A": "0"}, TODAY).flags[0]
    assert (absent.state, absent.value, absent.source, absent.present) == (
        "absent",
        False,
        "default",
        False,
    )
    assert (off.state, off.value, off.source, off.present) == ("off", False, "env", True)
    assert absent.default is off.default is False
    assert (told(absent), told(off)) == ("absent (default off)", "off")


def test_a_flag_has_expired_from_its_day_on() -> None:
    found = explain(FLAGS, {}, TODAY)
    assert [one.name for one in found.stale] == ["FLAG_A"]
    assert not found.holds
    assert explain(FLAGS, {}, date(2026, 6, 20)).holds


def test_unparseable_is_told_with_what_it_does() -> None:
    found = explain(FLAGS, {"FLAG_N": "many", "FLAG_OPEN": "maybe", "FLAG_TYPO": "1"}, date.min)
    by_name = {one.name: one for one in found.flags}
    assert (by_name["FLAG_N"].state, by_name["FLAG_N"].stops) == ("unparseable", True)
    assert (by_name["FLAG_OPEN"].state, by_name["FLAG_OPEN"].stops) == ("unparseable", False)
    assert told(by_name["FLAG_N"]) == "unparseable (default 3)"
    assert [one.variable for one in found.others] == ["FLAG_TYPO"]
    assert not found.holds


SECRETS = {
    "FLAG_KEY": "hush-hush",
    "FLAG_HOOK": "https://user:hush-hush@example.com/x",
    "FLAG_N": "hush-hush-hush",
    "FLAG_TYPO": "hush-hush-hush",
}


def test_no_secret_is_shown() -> None:
    found = explain(FLAGS, SECRETS, TODAY)
    assert "hush" not in repr(found)
    assert "https://[redacted]@example.com/x" in repr(found)
    assert "hush" not in repr(differences(FLAGS, SECRETS, {}, TODAY))


@pytest.mark.parametrize(
    ("one", "other", "name", "what"),
    [
        ({"FLAG_A": "1"}, {"FLAG_A": "yes"}, "FLAG_A", ""),
        ({"FLAG_A": "1"}, {"FLAG_A": "0"}, "FLAG_A", "value"),
        ({"FLAG_A": "0"}, {}, "FLAG_A", "presence"),
        ({"FLAG_A": "maybe"}, {}, "FLAG_A", "unparseable"),
        ({"FLAG_A": "maybe"}, {"FLAG_A": "maybe"}, "FLAG_A", "unparseable"),
        ({"FLAG_KEY": "a"}, {"FLAG_KEY": "b"}, "FLAG_KEY", "value"),
        ({"FLAG_KEY": "a"}, {"FLAG_KEY": "a"}, "FLAG_KEY", ""),
        ({}, {"FLAG_TYPO": "1"}, "FLAG_TYPO", "undeclared"),
    ],
)
def test_two_apps_are_compared_by_what_holds_and_by_who_decided(
    one: dict[str, str], other: dict[str, str], name: str, what: str
) -> None:
    found = {row.name: row.what for row in differences(FLAGS, one, other, TODAY)}
    assert found.pop(name) == what
    assert set(found.values()) == {""}
