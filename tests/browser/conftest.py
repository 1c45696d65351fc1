"""A board on a socket, and the distribution's Chromium. Without one these tests are skipped, unless
TRUEGREEN_BROWSER=required."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from board_browser import TOKEN, Served
from board_service import HOSTILE, Service, green, red
from board_ship import Ship
from playwright.sync_api import Browser, sync_playwright
from queue_lines import BUSY, LineOnly

from truegreen.board import make_app
from truegreen.board.actions import Tokens, actions_annex
from truegreen.board.actions.runs import Runs
from truegreen.secret import Secret
from truegreen.ship.holder import Holder
from truegreen.ship.leases import Leases
from truegreen.state import locate
from truegreen.watch import Terms
from truegreen.watch.hints import Delivery
from truegreen.watch.inbox import Inbox
from truegreen.watch.pressure import Pressure
from truegreen.watch.roster import Roster
from truegreen.watch.shared_budget import SharedBudget
from truegreen.watch.together import lasting

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
        self._watches(root)
        self.sources._queue = LineOnly(BUSY)  # type: ignore[assignment]
        where = locate(root, {})
        self._ship = Ship(where, "next-app", 3)
        self._leases = Leases.open(where)
        for name in ("sam@laptop", "kim@runner-3"):
            holder = Holder(name, name, 4711, "")
            self._leases.take(self._ship.claim.app, holder, "c0ffee00" * 5, seconds=3600, wait=True)
        runs = Runs(where, verb=(sys.executable, "-c", "print('next-app is green')"))
        annexes = [actions_annex(self.sources, Tokens({"kim": Secret(TOKEN)}), runs)]
        self._served = Served(make_app(self.sources, annexes=annexes))
        self.address = self._served.address

    def _watches(self, root: Path) -> None:
        """Two that share the apps, one of them behind, and webhooks that came."""
        database = lasting(locate(root, {}))
        keeps_up = Pressure(apps=513, tokens=52.0, per_minute=74.0, round=1130.0)
        behind = Pressure(apps=487, unseen=20, waiting=37, oldest=12.4, following=3, round=1240.0,
                          per_minute=74.0, not_seen=1)  # fmt: skip
        for name, one in (("runner-1-4711-9f02aa31", keeps_up), ("runner-2-815-c0ffee00", behind)):
            Roster(database).beat(name, "d1935e" * 10, every_app=True, told=one.as_json())
        hints = [Delivery("raptor-prod", f"delivery-{n}", None) for n in range(3)]
        Inbox(database).put(hints, {"forged": 2})
        SharedBudget(database, "d1935e" * 10, Terms.within(4500)).settle(3977)
        database.close()

    def close(self) -> None:
        self._served.close()
        self._ship.close()
        self._leases.close()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    made = Live(tmp_path_factory.mktemp("board") / "service")
    yield made
    made.close()
