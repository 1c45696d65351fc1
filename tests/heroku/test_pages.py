from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truegreen.heroku import UnexpectedAnswer
from truegreen.heroku.pages import MOST_PAGES, Page, collect, newest_first


def book(pages: list[list[int]]) -> tuple[list[str | None], object]:
    asked: list[str | None] = []

    def fetch(page_range: str | None) -> Page:
        asked.append(page_range)
        number = len(asked) - 1
        return Page(pages[number], f"page {number + 1}" if number + 1 < len(pages) else None)

    return asked, fetch


@given(
    st.lists(st.lists(st.integers(), max_size=4), min_size=1, max_size=6),
    st.none() | st.integers(1, 30),
)
def test_what_comes_out_is_the_beginning_of_all_pages(
    pages: list[list[int]], limit: int | None
) -> None:
    asked, fetch = book(pages)
    everything = [entry for page in pages for entry in page]
    found = collect(fetch, what="list", first="first", limit=limit)  # type: ignore[arg-type]
    assert found.entries == everything[:limit]
    if found.complete:
        assert found.entries == everything
    assert asked == ["first", *[f"page {n}" for n in range(1, len(asked))]]
    if limit is None:
        assert found.complete


def test_no_page_is_asked_for_beyond_the_limit() -> None:
    asked, fetch = book([[1, 2], [3, 4], [5]])
    assert collect(fetch, what="list", first=None, limit=4).complete is False  # type: ignore[arg-type]
    assert len(asked) == 2


def test_pages_in_a_circle_and_pages_without_end_are_refused() -> None:
    with pytest.raises(UnexpectedAnswer, match="circle"):
        collect(lambda _: Page([1], "again"), what="list", first=None, limit=None)
    count = iter(range(10 * MOST_PAGES))
    with pytest.raises(UnexpectedAnswer, match="pages"):
        collect(lambda _: Page([], f"n{next(count)}"), what="list", first=None, limit=5)


def test_range_asks_for_no_more_than_a_page_may_hold() -> None:
    assert newest_first("version", 10) == "version ..; max=10, order=desc"
    assert newest_first("version", 5000) == "version ..; max=1000, order=desc"
