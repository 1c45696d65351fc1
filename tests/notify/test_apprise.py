"""Apprise itself, not a stand-in, brings a message to a server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from truegreen.config import load_config
from truegreen.notify.deliver import Means, deliver
from truegreen.notify.message import trial
from truegreen.notify.outbox import Letter, Outbox


class Chat(HTTPServer):
    """Takes what Apprise posts, or says 500."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.status = 200
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                chat.got.append(json.loads(body))
                self.send_response(chat.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def chat() -> Iterator[Chat]:
    with Chat() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Apprise's own, on its import
def test_apprise_delivers_and_what_it_does_not_deliver_is_kept(
    chat: Chat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import apprise  # noqa: F401  # seconds on a busy machine, and none of those that sending may take

    monkeypatch.setenv("NOTIFY_CHAT", f"json://127.0.0.1:{chat.server_port}/secret-path")
    (tmp_path / "truegreen.toml").write_text(
        '[service]\nname = "shop"\n[notify]\napprise = ["env:NOTIFY_CHAT"]\nattempts = 1\n'
    )
    settings = load_config(tmp_path).notify
    outbox = Outbox(tmp_path / ".truegreen" / "notify")
    letter = Letter("apprise-1", trial("shop", "2026-06-21T20:00:00.000Z"))
    (became,) = deliver([letter], settings, outbox, Means())
    assert (became.why, list(outbox.letters())) == ("", [])
    assert chat.got[0]["title"] == "shop: green"
    assert chat.got[0]["message"] == "shop: this is a test, and nothing has happened."
    chat.status = 500
    (became,) = deliver([letter], settings, outbox, Means())
    assert became.why == "Apprise did not deliver it"
    (kept,) = outbox.letters()
    assert "secret-path" not in repr(kept)
