"""Each page of the board in a real browser: fit for every reader, and alive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from board_browser import opened
from board_service import Service, green
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.xdist_group("browser")  # one Chromium for all of them

PAGES = {
    "apps": "/",
    "app": "/apps/raptor-prod",
    "green": "/releases/1",
    "red": "/releases/2",
    "hostile": "/releases/3",
    "incidents": "/incidents",
    "incident": "/incidents/2026-06-21-x",
    "drills": "/drills",
    "watch": "/watch",
    "missing": "/nope",
}
DESKTOP, PHONE = (1280, 900), (390, 844)
# Each page at both widths and in both schemes; the red release in all four.
LOOKS = [
    *((name, "desktop", "light") for name in PAGES),
    *((name, "phone", "dark") for name in PAGES),
    ("red", "desktop", "dark"),
    ("red", "phone", "light"),
]


@pytest.mark.parametrize(("name", "size", "scheme"), LOOKS)
def test_a_page_is_readable_by_everybody_and_nothing_sticks_out(
    chromium: Browser, live: Any, pictures: Path | None, name: str, size: str, scheme: str
) -> None:
    width, height = DESKTOP if size == "desktop" else PHONE
    view = {"width": width, "height": height}
    with opened(chromium, live.address + PAGES[name], viewport=view, color_scheme=scheme) as page:
        assert page.locator("h1").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if pictures is not None:
            page.screenshot(path=pictures / f"{name}-{size}-{scheme}.png", full_page=True)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_every_page_is_reached_by_keyboard_alone(chromium: Browser, live: Any) -> None:
    with opened(chromium, live.address) as page:
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        for _ in range(12):
            page.keyboard.press("Tab")
            told = page.evaluate("document.activeElement.textContent")
            if told == "raptor-prod":
                break
        page.keyboard.press("Enter")
        page.wait_for_url("**/apps/raptor-prod")


def test_without_javascript_the_page_says_the_same(chromium: Browser, live: Any) -> None:
    with opened(chromium, live.address, java_script_enabled=False) as page:
        assert "raptor-prod" in page.locator("main").inner_text()
        page.get_by_role("link", name="raptor-prod", exact=True).click()
        assert page.get_by_role("heading", name="Thirty days").is_visible()


def test_an_open_page_is_told_and_renews_itself(chromium: Browser, live: Service | Any) -> None:
    with opened(chromium, live.address + "/apps/raptor-prod") as page:
        expect(page.locator("html")).to_have_attribute("data-line", "open")
        before = page.locator(".strip li").count()
        live.record({**green(), "sentence": "raptor-prod serves v156: all is well."})
        expect(page.locator("h1")).to_have_text("raptor-prod serves v156: all is well.")
        expect(page.locator(".strip li")).to_have_count(before + 1)
        expect(page.get_by_role("status")).to_contain_text("green: raptor-prod serves v156")


def test_a_page_of_another_app_stays_as_it_is(chromium: Browser, live: Service | Any) -> None:
    with opened(chromium, live.address + "/apps/hostile") as page:
        expect(page.locator("html")).to_have_attribute("data-line", "open")
        number = live.record(green())
        expect(page.locator("html")).to_have_attribute("data-heard", str(number))
        assert page.get_by_role("status").inner_text() == ""
