"""explain, diff and stale: three things stay three, and no secret is shown."""

from __future__ import annotations

from datetime import date

import pytest

from truegreen.config import FlagDeclaration
from truegreen.flags import Flags
from truegreen.flags.explain import differences, explain, told
from truegreen.outputs.flag_documents import difference_text, explanation_text

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
            FlagDeclaration("FLAG_LIST", type="list", default=()),
            FlagDeclaration("FLAG_TOLD", type="str", default="as declared", secret=True),
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
    assert (absent.owner, absent.fail) == ("web", "closed")


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
    assert by_name["FLAG_OPEN"].fail == "open"
    assert not explain(FLAGS, {"FLAG_OPEN": "maybe"}, date.min).holds
    assert [one.variable for one in found.others] == ["FLAG_TYPO"]
    assert not found.holds


SECRETS = {
    "FLAG_KEY": "hush-hush",
    "FLAG_HOOK": "https://user:hush-hush@example.com/x",
    "FLAG_N": "hush-hush-hush",
    "FLAG_TYPO": "hush-hush-hush",
    "FLAG_LIST": "https://user:hush@first.example,redis://:hush@at@second.example",
}


def test_no_secret_is_shown() -> None:
    found = explain(FLAGS, SECRETS, TODAY)
    assert "hush" not in repr(found)
    assert "https://[redacted]@example.com/x" in repr(found)
    by_name = {one.name: one for one in found.flags}
    listed = by_name["FLAG_LIST"]
    assert told(listed) == "https://[redacted]@first.example,redis://[redacted]@second.example"
    assert by_name["FLAG_TOLD"].value == by_name["FLAG_TOLD"].default == "[redacted]"
    assert "hush" not in repr(differences(FLAGS, SECRETS, {}, TODAY))


def test_no_value_and_no_name_forges_a_line_or_moves_a_cursor() -> None:
    strange = "a\x1b[2J\nFLAG_A  on\udc80"
    variables = {"FLAG_LIST": strange, "FLAG_KEY": strange, "FLAG_\x1b\udc80": "\x1b[2J"}
    found = explain(FLAGS, variables, TODAY)
    rows = differences(FLAGS, variables, {}, TODAY)
    text = explanation_text("app", found) + difference_text("one", "other", rows)
    assert text.replace("\n", "").isprintable()
    assert not any(line.startswith("FLAG_A  on") for line in text.splitlines())
    assert r"a\x1b[2J\nFLAG_A  on\udc80" in text


def test_what_nobody_declared_is_told_on_its_side_and_in_order() -> None:
    rows = differences(FLAGS, {"FLAG_Z": "1"}, {"FLAG_X": "2", "FLAG_Y": "3"}, TODAY)
    assert [(row.name, row.one, row.other) for row in rows if row.what] == [
        ("FLAG_X", "absent", "2"),
        ("FLAG_Y", "absent", "3"),
        ("FLAG_Z", "1", "absent"),
    ]


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
