"""Clocks that differ: the timeline says by how much, and claims no order that it cannot know."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truegreen.incidents.document import write
from truegreen.incidents.drafting import draft
from truegreen.incidents.drafting.clocks import Sighting, difference
from truegreen.incidents.drafting.episode import of_document

START = datetime(2026, 11, 23, 6, 27, 37, tzinfo=UTC)
SECONDS = st.floats(0, 5000)


@given(SECONDS, SECONDS, st.floats(-5000, 5000), st.floats(0, 2))
def test_the_true_difference_always_lies_within_the_bounds(
    asked: float, took: float, apart: float, resolution: float
) -> None:
    really = START + timedelta(seconds=asked + took / 2)
    shown = really + timedelta(seconds=apart - resolution / 2)
    sighting = Sighting(
        "dyno", shown, START + timedelta(seconds=asked), START + timedelta(seconds=asked + took),
        resolution,
    )  # fmt: skip
    found = difference("dyno", [sighting])
    assert found is not None
    assert found.low - 1e-3 <= apart <= found.high + 1e-3
    assert found.least <= abs(apart) + 1e-3
    if not found.agrees:
        assert found.margin >= abs(apart) - 1e-3


def test_sightings_narrow_each_other_and_a_clock_that_was_set_widens() -> None:
    def seen(at: float, low: float, high: float) -> Sighting:
        begin = START
        return Sighting(
            "x", begin + timedelta(seconds=at), begin + timedelta(seconds=low),
            begin + timedelta(seconds=high),
        )  # fmt: skip

    narrow = difference("x", [seen(10, 0, 20), seen(30, 29, 50)])
    assert narrow is not None
    assert (narrow.low, narrow.high) == (-10.0, 1.0)
    jumped = difference("x", [seen(10, 10, 11), seen(500, 20, 21)])
    assert jumped is not None
    assert (jumped.low, jumped.high) == (-1.0, 480.0)
    assert difference("y", [seen(0, 0, 0)]) is None


@pytest.mark.parametrize(("shift", "way"), [(3600, "ahead of"), (-3600, "behind")])
def test_a_dyno_an_hour_off_is_said_and_its_lines_stay_between_ours(shift: int, way: str) -> None:
    path = Path(__file__).parents[1] / "data" / "founding.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    report = next(one for one in document["checks"] if one["name"] == "release.report")
    started = datetime.fromisoformat(report["detail"]["report"]["started_at"])
    report["detail"]["report"]["started_at"] = (started + timedelta(seconds=shift)).isoformat()
    text = write(draft(of_document(document)))
    assert f"The dyno's clock is at least 59 min" in text or "at least 1 h" in text  # noqa: F541
    assert f"{way} truegreen's clock" in text
    assert "the order against ours is a guess" in text
    rows = [line for line in text.splitlines() if line.startswith("| 2026")]
    begins = next(number for number, row in enumerate(rows) if "release command begins" in row)
    assert "± 36" in rows[begins]
    assert 0 < begins < next(n for n, row in enumerate(rows) if "verify failed" in row)
