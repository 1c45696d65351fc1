"""A review is read and written back: nothing is lost, nothing unchanged is touched."""

from __future__ import annotations

import dataclasses
import difflib
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truegreen.errors import ConfigError
from truegreen.incidents.document import (
    Action,
    Closed,
    Detection,
    Document,
    Incident,
    Proof,
    Red,
    Waiver,
    parse,
    write,
)
from truegreen.incidents.document import values as v
from truegreen.incidents.document.body import replace_regions

WORDS = st.text(max_size=30)
SOME = st.text(min_size=1, max_size=30)
MOMENTS = st.datetimes(
    min_value=datetime(2000, 1, 1), max_value=datetime(2099, 1, 1), timezones=st.just(UTC)
)
DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 1, 1))
SECONDS = st.integers(0, 10**7).map(float) | st.floats(0, 1e9)
LISTS = st.lists(WORDS, max_size=3).map(tuple)
REDS = st.builds(Red, SOME, MOMENTS, st.integers(-99, 255), SOME, SOME, WORDS)
PROOFS = st.builds(
    Proof, LISTS, WORDS, WORDS, LISTS, SECONDS, st.sampled_from(v.WHEN), st.none() | REDS
)
ACTIONS = st.builds(
    Action,
    id=SOME,
    title=WORDS,
    owner=WORDS,
    due=st.none() | DAYS,
    kind=st.sampled_from(("", *v.KINDS)),
    strength=st.sampled_from(("", *v.STRENGTHS)),
    required=st.booleans(),
    status=st.sampled_from(v.ACTION_STATUSES),
    issue=WORDS,
    proof=st.none() | PROOFS,
    closed=st.none() | st.builds(Closed, MOMENTS, SOME, SOME),
    waiver=st.none() | st.builds(Waiver, SOME, SOME, DAYS),
    note=WORDS,
)
INCIDENTS = st.builds(
    Incident,
    id=WORDS,
    title=WORDS,
    date=st.none() | DAYS,
    severity=st.sampled_from(("", *v.SEVERITIES)),
    status=st.sampled_from(("", *v.STATUSES)),
    author=WORDS,
    began=st.none() | MOMENTS,
    ended=st.none() | MOMENTS,
    duration=st.none() | SECONDS,
    release=WORDS,
    trigger=WORDS,
    impact=st.dictionaries(SOME, WORDS, max_size=3).map(MappingProxyType),
    detection=st.none() | st.builds(Detection, WORDS, st.none() | SECONDS, WORDS),
    runbooks=LISTS,
    related=LISTS,
    actions=st.lists(ACTIONS, max_size=3, unique_by=lambda one: one.id).map(tuple),
)
BODIES = st.text(alphabet=st.characters(codec="utf-8"), max_size=200)

PERSON = """\
---
# what a person wrote, in a person's way
id:   x   # the name
date: "2026-06-21"
duration: about 6 minutes
impact: {users: none, 'data': none}
related: [ one,
           two ]
summary_of_ours: |
  kept, though nobody knows this key

actions:
    # the first one
    - id: pin
      title: >
        folded over
        two lines
      due:   23 June 2026    # a Tuesday
      proof: {test: tests/x.py, timeout: 2 min}

    - {id: flow, owner: me}
---

# The day

## Summary
Prose,   with odd   spaces.\t
"""


def changed_lines(before: str, after: str) -> list[str]:
    delta = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in delta if line[:2] in ("- ", "+ ")]


@settings(max_examples=60, deadline=None)
@given(INCIDENTS, BODIES)
def test_what_is_written_is_read_as_the_same(incident: Incident, body: str) -> None:
    document = Document(incident, "\n" + body)
    text = write(document)
    text.encode()
    again = parse(text)
    assert again == document
    assert write(again) == text


@settings(max_examples=60, deadline=None)
@given(INCIDENTS, INCIDENTS)
def test_any_change_of_a_written_review_is_read_as_that_change(
    before: Incident, after: Incident
) -> None:
    document = parse(write(Document(before, "\nprose\n")))
    new = dataclasses.replace(document, incident=after)
    again = parse(write(new))
    assert again == new
    assert again.body == "\nprose\n"


@settings(max_examples=100, deadline=None)
@given(BODIES | st.builds(lambda front, rest: f"---\n{front}\n---\n{rest}", BODIES, BODIES))
def test_any_text_that_can_be_read_is_written_back_byte_for_byte(text: str) -> None:
    try:
        document = parse(text)
    except ConfigError:
        return
    assert write(document) == text


def test_a_persons_text_stays_byte_for_byte() -> None:
    document = parse(PERSON)
    assert write(document) == PERSON
    assert write(parse(PERSON.replace("\n", "\r\n"))) == PERSON.replace("\n", "\r\n")
    assert write(parse("\ufeff" + PERSON)) == "\ufeff" + PERSON


def edited(**changes: Any) -> list[str]:
    document = parse(PERSON)
    pin, flow = document.incident.actions
    if "action" in changes:
        changes = {"actions": (dataclasses.replace(pin, **changes["action"]), flow)}
    new = document.replace(**changes)
    text = write(new)
    assert parse(text) == new
    return changed_lines(PERSON, text)


def test_a_changed_value_changes_its_line_alone() -> None:
    assert edited(id="y") == ["- id:   x   # the name", "+ id:   y   # the name"]
    assert edited(duration=360.0) == []
    assert edited(duration=61.0) == ["- duration: about 6 minutes", "+ duration: 1m1s"]
    assert edited(related=("one", "three")) == ["-            two ]", "+            three ]"]


def test_a_changed_action_changes_its_lines_alone() -> None:
    assert edited(action={"status": "closed"}) == ["+       status: closed"]
    assert edited(action={"due": date(2026, 7, 1)}) == [
        "-       due:   23 June 2026    # a Tuesday",
        "+       due:   2026-07-01    # a Tuesday",
    ]
    assert sorted(edited(action={"title": "new"})) == [
        "+       title: new",
        "-         folded over",
        "-         two lines",
        "-       title: >",
    ]
    assert edited(action={"waiver": Waiver("me", "why: so", date(2026, 7, 1))}) == [
        "+       waiver:",
        "+         by: me",
        '+         reason: "why: so"',
        "+         until: 2026-07-01",
    ]


def test_a_key_that_goes_takes_its_own_lines_alone() -> None:
    assert edited(impact={}) == ["- impact: {users: none, 'data': none}"]
    assert edited(action={"title": ""}) == [
        "-       title: >",
        "-         folded over",
        "-         two lines",
    ]


def test_an_action_is_added_below_the_others() -> None:
    document = parse(PERSON)
    actions = (*document.incident.actions, Action("third", owner="you"))
    text = write(document.replace(actions=actions))
    assert changed_lines(PERSON, text) == ["+     - id: third", "+       owner: you"]


def test_line_ends_stay_what_they_are_when_something_changes() -> None:
    document = parse(PERSON.replace("\n", "\r\n"))
    text = write(document.replace(severity="SEV-3"))
    assert text.count("\r\n") == text.count("\n") == PERSON.count("\n") + 1


def test_keys_nobody_knows_are_noted_and_kept() -> None:
    notes = [(note.line, note.text) for note in parse(PERSON).notes]
    assert notes == [(9, "summary_of_ours is not a known key")]
    assert "nobody knows this key" in write(parse(PERSON).replace(id="y"))


@given(st.floats(0, 1e12) | st.integers(0, 10**9))
def test_a_duration_is_written_exactly(seconds: float) -> None:
    from truegreen.incidents.document.times import duration_text, read_duration

    assert read_duration(duration_text(float(seconds))) == seconds


@given(st.integers(0, 10**8))
def test_people_read_durations_without_a_zero_part(seconds: int) -> None:
    from truegreen.incidents.document.times import told

    assert timedelta(seconds=seconds) >= timedelta()
    assert " 0 " not in f" {told(seconds)} " or seconds == 0


@given(BODIES, st.text(alphabet="ab \n", max_size=40))
def test_only_regions_that_are_still_ours_are_written_again(prose: str, change: str) -> None:
    from truegreen.incidents.document.body import region, regions

    ours = "\n".join(region("timeline", ["| a |", "old"])) + "\n"
    text = f"{prose}\n{ours}mine\n"
    if set(regions(text)) != {"timeline"}:
        return
    after, kept = replace_regions(text, {"timeline": ["new"]})
    assert after == f"{prose}\n" + "\n".join(region("timeline", ["new"])) + "\nmine\n"
    assert kept == ()
    touched = text.replace("old\n", f"old{change}x\n")
    assert replace_regions(touched, {"timeline": ["new"]}) == (touched, ("timeline",))


@pytest.mark.parametrize(
    "text", ["", "\n", "---", "no front", "# only\n", "\x00", "--- \nid: x\n---"]
)
def test_small_texts_are_written_back(text: str) -> None:
    try:
        assert write(parse(text)) == text
    except ConfigError:
        assert text == "---"


@pytest.mark.parametrize(
    ("said", "required"), [("true", True), ("Yes", True), ("off", False), ("0", False), ("", False)]
)
def test_required_is_said_in_the_words_of_a_flag(said: str, required: bool) -> None:
    text = f"---\nid: x\nactions:\n  - id: a\n    required: {said}\n---\n"
    document = parse(text)
    assert document.incident.actions[0].required is required
    assert write(document) == text
    with pytest.raises(ConfigError, match="'maybe' is neither true nor false"):
        parse(text.replace(f"required: {said}", "required: maybe"))
