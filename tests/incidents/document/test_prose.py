"""Reviews as people write them: read as far as possible, and said what not."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truegreen.errors import ConfigError
from truegreen.incidents.document import parse
from truegreen.incidents.document.prose import heading_key, read_prose

ODD = """\
Postmortem: everything was 500 for a while
==========================================

**Severity:** P2
Date: 21 June 2026 (a Sunday)
* Author: _ada_
Duration: about an hour

1. TL;DR
--------
It was bad.

### 2) 🕒 What happened (times in UTC)

- **19:29** — dispatched
- 19:32 UTC: smoke passed
- 8pm or so, lunch
- 23:58 – waiting
- [00:07] it ended
- 12:30 PM PDT: somebody in California woke up
```
- 11:11 in code: not a time
```

### Why?!
Nobody knows.

### Vibes
were off

### Follow-ups

| What | Who | Deadline |
|:--|---|--:|
| Pin \\| the flag | ada | 23.06.2026 |
| Write it down | | soon |
"""


def test_an_odd_review_is_read_as_far_as_it_goes() -> None:
    prose = read_prose(parse(ODD))
    incident = prose.incident
    assert (incident.severity, incident.date, incident.author) == (
        "SEV-2", date(2026, 6, 21), "ada",
    )  # fmt: skip
    assert incident.title == "Postmortem: everything was 500 for a while"
    assert {"summary", "timeline", "causes", "actions"} <= set(prose.sections)
    assert [(one.at, one.text) for one in prose.timeline] == [
        (datetime(2026, 6, 21, 19, 29, tzinfo=UTC), "dispatched"),
        (datetime(2026, 6, 21, 19, 32, tzinfo=UTC), "smoke passed"),
        (datetime(2026, 6, 21, 23, 58, tzinfo=UTC), "waiting"),
        (datetime(2026, 6, 22, 0, 7, tzinfo=UTC), "it ended"),
    ]
    assert [(one.title, one.owner, one.due) for one in incident.actions] == [
        ("Pin | the flag", "ada", date(2026, 6, 23)),
        ("Write it down", "", None),
    ]


def test_what_could_not_be_read_is_said_with_its_line() -> None:
    lines = ODD.splitlines()
    unread = {lines[note.line - 1]: note.text for note in read_prose(parse(ODD)).unread}
    assert "'about an hour' cannot be read" in unread["Duration: about an hour"]
    assert "'soon' cannot be read" in unread["| Write it down | | soon |"]
    assert "none that we know" in unread["### Vibes"]
    assert "not in UTC" in unread["- 12:30 PM PDT: somebody in California woke up"]
    assert len(unread) == 4


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("Timeline", "timeline"), ("3. Timeline (UTC)", "timeline"), ("TL;DR", "summary"),
        ("**What went well?**", "well"), ("What didn’t go well", "badly"), ("Lucky", "lucky"),
        ("2.1) Root Cause Analysis:", "causes"), ("Action items", "actions"), ("Lunch", None),
        ("", None),
    ],
)  # fmt: skip
def test_headings_are_known_in_many_dresses(title: str, key: str | None) -> None:
    assert heading_key(title) == key


def test_a_header_that_contradicts_itself_is_said() -> None:
    prose = read_prose(parse("# x\n\n| Severity | SEV-1 |\n|---|---|\n| Severity | SEV-3 |\n"))
    assert prose.incident.severity == "SEV-1"
    assert "conflicts" in prose.unread[0].text


def test_a_timeline_without_a_day_is_not_given_one() -> None:
    prose = read_prose(parse("## Timeline\n\n- 19:29 dispatched\n"))
    assert prose.timeline == ()
    assert "the day is not known" in prose.unread[0].text


def test_an_uncertain_time_keeps_its_margin() -> None:
    text = (
        "---\ndate: 2026-06-21\n---\n## Timeline\n\n| UTC | what |\n|--|--|\n| 19:29 ± 2 s | x |\n"
    )
    (entry,) = read_prose(parse(text)).timeline
    assert (entry.margin, entry.text, entry.line) == (2.0, "x", 8)


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=300)
    | st.lists(
        st.sampled_from(
            ["# a", "## Timeline", "- 19:29 x", "| time | b |", "|--|--|", "| 25:99 | c |", "```",
             "---", "Date: 31.02.2026", "Severity: 9", "## Actions", "- [x] do", "===", "| due |"]
        ),
        max_size=14,
    ).map("\n".join)
)  # fmt: skip
def test_any_text_is_read_without_a_crash(text: str) -> None:
    with suppress(ConfigError):
        read_prose(parse(text))
