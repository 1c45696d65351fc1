from __future__ import annotations

import pytest

from truegreen.embedded.api.ranges import BadRange, ListRange

FIELDS = ("version", "id")


def cut(text: str, count: int = 25) -> tuple[list[int], dict[str, str], bool]:
    return ListRange.parse(text, FIELDS).cut(range(1, count + 1), lambda number: number)


def test_without_a_header_everything_comes_in_order() -> None:
    piece, headers, more = cut("")
    assert (piece, more) == (list(range(1, 26)), False)
    assert "Next-Range" not in headers


def test_following_next_range_gives_every_item_once_newest_first() -> None:
    seen: list[int] = []
    asked, more = "version ..; max=10, order=desc", True
    while more:
        piece, headers, more = cut(asked)
        seen += piece
        asked = headers.get("Next-Range", "")
    assert seen == list(range(25, 0, -1))


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("version 3..5", [3, 4, 5]),
        ("version ]3..5", [4, 5]),
        ("version 23..;max=2", [23, 24]),
        ("version 5..3; order=desc", [5, 4, 3]),
        ("version 99..", []),
    ],
)
def test_bounds_are_kept(text: str, piece: list[int]) -> None:
    assert cut(text)[0] == piece


@pytest.mark.parametrize(
    "text", ["name ..", "version", "version ..; max=0", "version ..; max=x", "version x..", "…"]
)
def test_a_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadRange):
        cut(text)
