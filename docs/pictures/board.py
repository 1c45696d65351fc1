"""Draws the pictures of the board from a real record: ships Raptor before the wave of 2026-06-21,
then the wave as it was that day, and photographs the page of the second ship while it lasts and
that of the red release.

python3 bootstrap.py python docs/pictures/board.py [FOLDER to keep it all in]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from truegreen.config import load_config
from truegreen.incidents.drills.release_smoke import (
    put_back,
    take_back,
    without_pin,
    without_seal,
)
from truegreen.incidents.drills.service import find_service
from truegreen.ledger import Ledger
from truegreen.ship.stage import commit, copy_service, edit_text

HERE = Path(__file__).parent


def truegreen(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "truegreen", *arguments], check=False)


def ship_that_day(folder: Path) -> Path:
    """A service whose ledger holds a green ship and the red one of that day; the page of the
    second is photographed while its release command runs."""
    service = folder / "raptor"
    copy_service(find_service(None), service)
    wave = take_back(service)
    commit(service, "before the wave")
    ship = ("ship", str(service), "--no-gates", "--quiet")
    try:
        truegreen(*ship)
        put_back(wave)
        edit_text(service / "truegreen.toml", without_pin)
        edit_text(service / "truegreen.toml", without_seal)
        commit(service, "the wave: 0045, 0046 and their smoke tests")
        app = load_config(service).environments["production"].app
        with board(service) as address, ThreadPoolExecutor(1) as pool:
            second = pool.submit(truegreen, *ship)
            photograph(
                f"{address}apps/{app}", HERE / "board-live.png", through="ship of", shows="migrate"
            )
            second.result()
    finally:
        truegreen("platform", "stop", str(service))
    return service


@contextmanager
def board(service: Path) -> Iterator[str]:
    """The board's address while the block runs."""
    command = [sys.executable, "-m", "truegreen", "board", str(service), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield process.stderr.readline().strip()
        finally:
            process.terminate()


def photograph(address: str, path: Path, *, through: str = "", shows: str = "") -> None:
    """The page at ``address``, or the one that its link ``through`` leads to, once its output has
    the text ``shows``."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 1040}, color_scheme="light")
        page.goto(address)
        if through:
            page.get_by_role("link", name=through).first.click()
            page.locator(".output", has_text=shows).wait_for()
        page.screenshot(path=path)
        browser.close()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="truegreen-pictures-") as temporary:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        os.environ["TRUEGREEN_PLATFORM_DATA"] = str(folder / "platform")
        service = ship_that_day(folder)
        with Ledger.open(service / ".truegreen" / "ledger.sqlite3") as ledger:
            red = ledger.last(verdict="red")
        assert red is not None, "the wave of that day must be red"
        with board(service) as address:
            photograph(f"{address}releases/{red.id}", HERE / "board.png")


if __name__ == "__main__":
    main()
