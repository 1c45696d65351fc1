"""Each page of the board in a real browser: fit for every reader, and alive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from board_browser import TOKEN, opened
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
    "queue": "/queue",
    "shipping": "/shipping/next-app",
    "actions": "/actions",
    "action": "/actions/retry?app=raptor-prod",
    "missing": "/nope",
}
DESKTOP, PHONE = (1280, 900), (390, 844)
# Each page at both widths and in both schemes; the red release in all four.
LOOKS = (("desktop", "light"), ("phone", "dark"))
MORE = (("desktop", "dark"), ("phone", "light"))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_readable_by_everybody_and_nothing_sticks_out(
    chromium: Browser, live: Any, pictures: Path | None, name: str
) -> None:
    with opened(chromium, live.address + PAGES[name]) as page:
        assert page.locator("h1").count() == 1
        for size, scheme in LOOKS + (MORE if name == "red" else ()):
            width, height = DESKTOP if size == "desktop" else PHONE
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), size
            if pictures is not None:
                page.screenshot(path=pictures / f"{name}-{size}-{scheme}.png", full_page=True)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{size}, {scheme}: {found.generate_report()}"


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


@pytest.mark.parametrize("javascript", [True, False])
def test_an_action_is_confirmed_and_followed_with_and_without_javascript(
    chromium: Browser, live: Any, pictures: Path | None, javascript: bool
) -> None:
    address = live.address + "/apps/raptor-prod"
    with opened(chromium, address, java_script_enabled=javascript) as page:
        page.get_by_role("link", name="Verify again").click()
        expect(page.locator(".output")).to_contain_text("truegreen verify")
        page.get_by_label("Your token").fill("a token that is nobody's")
        page.get_by_role("button", name="Verify again").click()
        expect(page.locator("h1")).to_have_text("Nothing was started: nobody has that token.")
        page.get_by_label("Your token").fill(TOKEN)
        page.get_by_role("button", name="Verify again").click()
        page.wait_for_url("**/actions/runs/*")
        for _ in range(0 if javascript else 100):  # with it, the page hears of the end by itself
            if "ended with" in page.locator("h1").inner_text():
                break
            page.wait_for_timeout(200)
            page.reload()
        expect(page.locator("h1")).to_have_text(
            "Verify again (raptor-prod): ended with 0, as it should be."
        )
        expect(page.locator(".output")).to_have_text("next-app is green")
        if pictures is not None:
            page.screenshot(path=pictures / "action-run-desktop-light.png", full_page=True)


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
