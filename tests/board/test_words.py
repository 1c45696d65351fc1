"""How long and how long ago, as a page says it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from truegreen.board.words import age, span


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "< 0.1 s"), (0.04, "< 0.1 s"), (0.4, "0.4 s"), (9.94, "9.9 s"), (60, "60 s"),
     (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"), (172_800, "2 d")],
)  # fmt: skip
def test_a_span_has_one_unit(seconds: float, told: str) -> None:
    assert span(seconds) == told


def test_a_clock_that_was_set_back_is_no_time_in_the_future() -> None:
    now = datetime(2026, 6, 21, tzinfo=UTC)
    assert age(now + timedelta(hours=1), now) == "just now"
    assert age(now - timedelta(hours=3), now) == "3 h ago"
