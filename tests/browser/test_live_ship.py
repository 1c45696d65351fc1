"""A real ship on the embedded platform, watched in a real browser: green, killed, and red."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from board_browser import Served, opened
from playwright.sync_api import Browser, Page, expect
from tiny_service import RELEASE, Tiny

from truegreen.board import Sources, make_app
from truegreen.config import load_config

pytestmark = pytest.mark.xdist_group("browser")
SOON = 60_000  # milliseconds that a step of a ship may take on a busy machine

WAITS = """
import sys, time
from pathlib import Path
print("Running upgrade 0045 -> 0046", flush=True)
said = Path({said!r})
while not said.exists():
    time.sleep(0.02)
if said.read_text() == "fail":
    sys.exit('psycopg.errors.UndefinedTable: relation "users" does not exist')
"""


class Watched(Tiny):
    """Its release command waits until it is told how to end. Its board answers at ``address``."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._said = folder / "said"
        self.commit({"release.py": WAITS.format(said=str(self._said)) + RELEASE})
        self._served = Served(make_app(Sources(load_config(self.root))))
        self.address = self._served.address
        self._ships: list[subprocess.Popen[str]] = []

    def ship(self) -> subprocess.Popen[str]:
        self._said.unlink(missing_ok=True)
        self._ships.append(self.start("ship", "--no-gates", "--quiet"))
        return self._ships[-1]

    def say(self, word: str) -> None:
        partial = self._said.with_suffix(".new")
        partial.write_text(word, encoding="utf-8")
        partial.replace(self._said)

    def close(self) -> None:
        self.say("fail")
        for one in self._ships:
            one.kill()
            one.communicate()
        self._served.close()
        self.stop()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    made = Watched(tmp_path_factory.mktemp("watched"))
    yield made
    made.close()


def keep(page: Page, pictures: Path | None, name: str) -> None:
    if pictures is not None:
        page.screenshot(path=pictures / f"{name}-desktop-light.png", full_page=True)


def test_a_ship_is_followed_step_by_step_killed_and_gone_on_with(
    chromium: Browser, watched: Watched, pictures: Path | None
) -> None:
    with opened(chromium, watched.address) as page:
        expect(page.locator("html")).to_have_attribute("data-line", "open")
        expect(page.locator("h1")).to_have_text("Nothing has been shipped or verified yet.")

        ship = watched.ship()
        expect(page.get_by_text("shipping now")).to_be_visible(timeout=SOON)
        expect(page.locator(".now b").last).to_have_text("release", timeout=SOON)
        keep(page, pictures, "apps-shipping")
        page.get_by_role("link", name="ship of").click()
        expect(page.locator("h1")).to_contain_text(
            "is being shipped to tiny-app, in its step release."
        )
        expect(page.locator(".output")).to_contain_text("Running upgrade 0045 -> 0046")
        expect(page.locator(".steps li", has_text="build: done")).to_be_visible()
        keep(page, pictures, "shipping")

        os.kill(ship.pid, signal.SIGKILL)
        expect(page.locator("h1")).to_contain_text("stopped in its step release", timeout=SOON)
        expect(page.locator("main code")).to_have_text("truegreen ship")
        keep(page, pictures, "stopped")

        watched.ship()
        expect(page.locator("h1")).to_contain_text("is being shipped", timeout=SOON)
        watched.say("go")
        expect(page.locator("h1")).to_contain_text("tiny-app serves", timeout=SOON)
        assert page.url.startswith(f"{watched.address}/releases/")
        expect(page.locator(".lede")).to_contain_text("green")


def test_a_ship_that_turns_red_ends_as_the_page_of_its_release(
    chromium: Browser, watched: Watched, pictures: Path | None
) -> None:
    watched.commit({"README": "another commit"})
    watched.ship()
    with opened(chromium, f"{watched.address}/") as page:
        page.get_by_role("link", name="ship of").click(timeout=SOON)
        expect(page.locator(".output")).to_contain_text("Running upgrade", timeout=SOON)
        watched.say("fail")
        expect(page.locator(".lede")).to_contain_text("red", timeout=SOON)
        assert "/releases/" in page.url
        expect(page.locator(".output mark").first).to_contain_text("UndefinedTable")
        keep(page, pictures, "shipped-red")
