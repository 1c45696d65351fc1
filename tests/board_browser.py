"""A page of the board in Chromium, and a board on a socket for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from playwright.sync_api import Browser, Page, expect
from starlette.types import ASGIApp

expect.set_options(timeout=30_000)  # milliseconds, on a busy machine
TOKEN = "kims-token-that-is-long-enough"


class Served:
    """A board that answers at ``address``, until ``close``."""

    def __init__(self, board: ASGIApp) -> None:
        config = uvicorn.Config(board, port=0, log_level="warning", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.02)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()


@contextmanager
def opened(browser: Browser, address: str, **context: Any) -> Iterator[Page]:
    """A page, and at the end: nothing was refused by the policy, nothing failed in its script."""
    made = browser.new_context(**context)
    page = made.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(f"a dialog: {dialog.message}"))
    page.on(
        "console",
        lambda message: (
            errors.append(message.text)
            if message.type == "error" and "responded with a status of 4" not in message.text
            else None
        ),
    )
    try:
        page.goto(address)
        yield page
        assert errors == []
    finally:
        made.close()
