"""A board on a socket, and the distribution's Chromium. Without one these tests are skipped, unless
TRUEGREEN_BROWSER=required."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from board_browser import Served
from board_service import HOSTILE, Service, green, red

from truegreen.board import make_app

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
REQUIRED = os.environ.get("TRUEGREEN_BROWSER") == "required"
REVIEW = """---
id: 2026-06-21-x
title: "v154's release command failed, and the deploy said success"
date: 2026-06-21
severity: SEV-3
status: open
began: 2026-06-21T19:29:00Z
detected: 2026-06-21T19:36:00Z
ended: 2026-06-21T19:35:00Z
app: raptor-prod
detection: {by: a person, gap: 1m}
actions:
  - {id: late, title: a thing that is late, due: 2026-06-20, owner: somebody}
---

## Summary

It failed, and nobody knew.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and CHROMIUM is None and not REQUIRED:
            item.add_marker(pytest.mark.skip(reason="no chromium is installed"))


# Not for the session: while it is open, playwright's event loop runs in this thread, and other
# tests of the same process could not run one of their own.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    assert CHROMIUM is not None, "TRUEGREEN_BROWSER=required, and there is no chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Where screenshots are kept: TRUEGREEN_SCREENSHOTS, as CI's output."""
    folder = os.environ.get("TRUEGREEN_SCREENSHOTS")
    if not folder:
        return None
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder)


class Live(Service):
    """A service whose board answers at ``address``. Records: 1 green, 2 red, 3 hostile."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        folder = root / "docs" / "incidents"
        folder.mkdir(parents=True)
        (folder / "2026-06-21-x.md").write_text(REVIEW, encoding="utf-8")
        self.record(green())
        self.record(red())
        self.record(red("hostile", HOSTILE))
        self._served = Served(make_app(self.sources))
        self.address = self._served.address

    def close(self) -> None:
        self._served.close()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    made = Live(tmp_path_factory.mktemp("board") / "service")
    yield made
    made.close()
