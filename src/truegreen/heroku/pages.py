"""Lists that come in pages: ``Range`` asks, 206 with ``Next-Range`` says that there is more.

Heroku's rule: https://devcenter.heroku.com/articles/platform-api-reference#ranges. No HTTP here;
``fetch`` makes the calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from truegreen.heroku.fields import UnexpectedAnswer, kind

MOST_PAGES = 1000
LARGEST_PAGE = 1000  # Heroku's own limit


class Page(NamedTuple):
    """One answer: its entries, and the Next-Range to ask with when there is more."""

    entries: Any
    next_range: str | None


class Listing(NamedTuple):
    """All entries that were asked for. ``complete``: the platform has no more than these."""

    entries: list[Any]
    complete: bool


def newest_first(order: str, limit: int) -> str:
    """The Range header for the newest ``limit`` entries by the field ``order``."""
    return f"{order} ..; max={min(max(limit, 1), LARGEST_PAGE)}, order=desc"


def collect(
    fetch: Callable[[str | None], Page], *, what: str, first: str | None, limit: int | None
) -> Listing:
    """Entries of page after page, until ``limit`` (None: all) or the end.

    Raises UnexpectedAnswer for what is no list, a Next-Range that comes twice (it would never
    end) and more than MOST_PAGES pages: a list that is silently short would lie.
    """
    entries: list[Any] = []
    asked: set[str] = set()
    page_range = first
    for _ in range(MOST_PAGES):
        page = fetch(page_range)
        if not isinstance(page.entries, list):
            raise UnexpectedAnswer(what, "", f"is {kind(page.entries)}, not a list")
        entries += page.entries
        if page.next_range is None:
            complete = limit is None or len(entries) <= limit
            return Listing(entries if limit is None else entries[:limit], complete)
        if limit is not None and len(entries) >= limit:
            return Listing(entries[:limit], False)
        if page.next_range in asked:
            raise UnexpectedAnswer(what, "", f"comes in a circle (Next-Range {page.next_range!r})")
        asked.add(page.next_range)
        page_range = page.next_range
    raise UnexpectedAnswer(what, "", f"has over {MOST_PAGES} pages")
