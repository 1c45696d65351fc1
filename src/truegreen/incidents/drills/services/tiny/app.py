"""The drills' service: ``/health`` says which commit answers, behind an origin guard.

Standard library only, so that a slug of it is built in a second. What a drill breaks stands in
capitals at the top.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

GREETING = "hello"
CRASH_AFTER = 0  # answers, and two seconds after the last of them the process ends; 0: never
GUARDED = os.environ.get("FLAG_ENFORCE_CF_ORIGIN", "1") == "1"
_HEADS = re.compile(r'^revision = "(\w+)"$', re.MULTILINE)
_answers = 0


def schema() -> dict[str, object] | None:
    """Where the database is, and the heads of the migrations here; None without a database."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("sqlite:///"):
        return None
    with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
        row = database.execute("select version_num from alembic_version").fetchone()
    texts = [path.read_text() for path in sorted(Path("migrations/versions").glob("*.py"))]
    revisions = [found[0] for text in texts if (found := _HEADS.findall(text))]
    below = [one for one in revisions if any(f'down_revision = "{one}"' in text for text in texts)]
    heads = [one for one in revisions if one not in below]
    return {"current": row[0] if row else None, "heads": heads}


class Handler(BaseHTTPRequestHandler):
    """Answers every path alike."""

    def do_GET(self) -> None:
        secret = os.environ.get("ORIGIN_SECRET", "")
        if GUARDED and self.headers.get("X-Origin-Secret") != secret:
            self.answer(403, {"error": "direct_origin_blocked"})
            return
        told: dict[str, object] = {
            "status": "ok",
            "commit": os.environ.get("HEROKU_SLUG_COMMIT"),
            "greeting": GREETING,
        }
        where = schema()
        if where is not None:
            told["schema"] = where
        self.answer(200, told)
        count()

    def answer(self, status: int, document: dict[str, object]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


def count() -> None:
    """Counts an answer; after ``CRASH_AFTER`` of them the process has two seconds to live."""
    global _answers
    _answers += 1
    if _answers == CRASH_AFTER:
        threading.Timer(2.0, os._exit, (1,)).start()


def main() -> None:
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"]))
    ThreadingHTTPServer(address, Handler).serve_forever()


if __name__ == "__main__":
    main()
