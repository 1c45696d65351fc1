"""The page and the tables of a run of drills."""

from __future__ import annotations

import io
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from truegreen.outputs.drill_report import page, timeline
from truegreen.outputs.drill_table import gap_now, gap_then, gap_then_in_full, print_drills

SVG = "{http://www.w3.org/2000/svg}"


def run(control: bool, times: dict[str, float | None] | None) -> dict[str, Any]:
    return {
        "label": "control" if control else "fault", "control": control, "world": "hold",
        "that_day": {"push": "accepted", "health": 200, "conclusion": "success"},
        "truegreen": {"verdict": "green" if control else "refused", "sentence": "a <b> & c.",
                      "checks": [], "diagnosis": []},
        "problems": [], "times": times,
    }  # fmt: skip


def drill(name: str = "it-breaks", **changes: Any) -> dict[str, Any]:
    fault = {"began": 10.0, "true": 12.0, "reported": 13.5, "ended": 14.0}
    control = {"began": 10.0, "true": None, "reported": None, "ended": 12.0}
    return {
        "name": name, "title": "<script>alert(1)</script>", "check": "code.served",
        "passed": True, "unmade": False, "seconds": 4.0, "within": 60.0, "problems": [],
        "gap": {"now": 1.5, "then": None, "then_told": "", "workflow": "success"},
        "runs": [run(True, control), run(False, fault)], **changes,
    }  # fmt: skip


def test_the_page_holds_no_script_and_nothing_from_elsewhere() -> None:
    html = page({"drills": [drill()]})
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "a &lt;b&gt; &amp; c." in html
    assert html.count("http") == html.count("http://www.w3.org/2000/svg")
    assert "prefers-color-scheme: dark" in html
    assert 'name="viewport"' in html


def test_the_timeline_shows_when_the_fault_was_true_and_when_it_was_reported() -> None:
    picture = ElementTree.fromstring(timeline([drill()]))
    bars = {bar.get("class"): bar for bar in picture.iter(f"{SVG}rect")}
    assert set(bars) == {"control", "fault", "gap"}
    # four seconds of which the gap is one and a half
    assert bars["fault"].get("width") == "100.00%"
    assert bars["control"].get("width") == "50.00%"
    assert (bars["gap"].get("x"), bars["gap"].get("width")) == ("50.00%", "37.50%")
    marks = {line.get("class"): line.get("x1") for line in picture.iter(f"{SVG}line")}
    assert (marks["true"], marks["reported"]) == ("50.00%", "87.50%")
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    assert "✔ it-breaks" in texts
    assert "1.5 s" in texts


def test_a_drill_that_was_not_made_has_a_lane_without_bars() -> None:
    unmade = drill(runs=[], unmade=True, passed=False, problems=["it could not be made: x"])
    unmade["gap"] = {"now": None, "then": None, "then_told": "", "workflow": None}
    picture = ElementTree.fromstring(timeline([unmade]))
    assert not list(picture.iter(f"{SVG}rect"))
    assert "could not be made" in page({"drills": [unmade]})
    assert ElementTree.fromstring(timeline([])) is not None


@pytest.mark.parametrize(
    ("gap", "now", "then"),
    [
        (
            {"now": 1.54, "then": 60.0, "then_told": "me", "workflow": "success"},
            "1.5 s",
            "60 s",
        ),
        (
            {"now": 9.0, "then": None, "then_told": "by luck", "workflow": "failure"},
            "9.0 s",
            "by luck",
        ),
        ({"now": 0.04, "then": None, "workflow": "success"}, "< 0.1 s", "never: success"),
        ({"now": None, "then": None, "workflow": "failure"}, "not detected", "at once"),
        ({"now": None, "then": None, "workflow": None}, "not detected", "not known"),
    ],
)
def test_gaps_are_told_as_far_as_they_are_known(gap: dict[str, Any], now: str, then: str) -> None:
    gap = {"then_told": "", **gap}
    assert (gap_now(gap), gap_then(gap)) == (now, then)
    in_full = "60 s, me" if gap["then"] else then
    assert gap_then_in_full(gap) == in_full


def printed(*drills: dict[str, Any]) -> str:
    console = Console(file=io.StringIO(), width=120, highlight=False)
    print_drills({"drills": list(drills)}, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_one_drill_is_told_in_full_and_of_several_those_that_did_not_pass() -> None:
    one = printed(drill())
    assert "code.served reported it 1.5 s after it was true" in one
    assert "PASSED" in one
    several = printed(drill(), drill("other", passed=False, problems=["too late"]))
    assert "1 of 2 drills passed" in several
    assert "✘ too late" in several
    assert "PASSED" not in several
