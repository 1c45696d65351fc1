"""What is asked again and again is asked with the ETag of the last answer, and 304 is no answer."""

from __future__ import annotations

import httpx
import pytest

from truegreen.heroku.client import HerokuClient, Unchanged

from .platform_double import client_of


class Lists:
    """Answers every list with ``entries`` in pages of 1,000, each with an ETag."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked: list[tuple[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked, page = request.headers.get("if-none-match", ""), request.headers["range"]
        self.asked.append((asked, page))
        first = 1000 if page.startswith("next") else 0
        etag = f'"{self.count if self.count < 1000 else "full"}"'
        if asked == etag:
            return httpx.Response(304, headers={"etag": etag})
        entries = [{"id": f"id-{n}", "name": f"app-{n}"} for n in range(first, self.count)][:1000]
        more = {"next-range": "next"} if self.count > first + 1000 else {}
        return httpx.Response(206 if more else 200, headers={"etag": etag, **more}, json=entries)


def client(lists: Lists) -> HerokuClient:
    return client_of(lists)


def test_apps_that_have_not_changed_are_not_sent_again() -> None:
    lists = Lists(3)
    with client(lists) as api:
        apps, etag = api.apps_unless("")
        assert [app.name for app in apps] == ["app-0", "app-1", "app-2"]
        with pytest.raises(Unchanged):
            api.apps_unless(etag)
        lists.count = 4
        apps, _ = api.apps_unless(etag)
    assert len(apps) == 4
    assert [asked for asked, _ in lists.asked] == ["", '"3"', '"3"']


@pytest.mark.parametrize("count", [1000, 1001, 1500])
def test_a_full_page_has_no_etag_since_it_hides_what_is_on_the_next(count: int) -> None:
    lists = Lists(count)
    with client(lists) as api:
        apps, etag = api.apps_unless("")
        assert (len(apps), etag) == (count, "")
        lists.count += 1
        assert len(api.apps_unless(etag)[0]) == count + 1
