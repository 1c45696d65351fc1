"""A service small enough to be built and released in a second, to be broken one way at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

APP = """
import json, os
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.headers.get("X-Origin-Secret") != os.environ["ORIGIN_SECRET"]:
            return self.answer(403, {"error": "direct_origin_blocked"})
        self.answer(200, {"status": "ok", "commit": os.environ.get("HEROKU_SLUG_COMMIT")})

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
RELEASE = """
import json, os
report = {"complete": True, "exit": 0, "commit": os.environ.get("HEROKU_SLUG_COMMIT"),
          "release": os.environ.get("HEROKU_RELEASE_VERSION"), "started_at": "2026-06-21T19:32:00Z",
          "phases": [{"name": "preflight", "status": "pass", "seconds": 0.0, "problems": []}]}
print("truegreen-report/1 " + json.dumps(report, separators=(",", ":")), flush=True)
"""
FILES: Mapping[str, str] = {
    "app.py": APP,
    "release.py": RELEASE,
    "Procfile": "web: python app.py\nrelease: python release.py\n",
    "requirements.txt": "# nothing but the standard library\n",
    "app.json": json.dumps({"env": {"ORIGIN_SECRET": {"generator": "secret"}}}),
    "truegreen.toml": '[service]\nname = "tiny"\n[env.production]\napp = "tiny-app"\n'
    "[health]\nsamples = 2\n",
}


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


class Tiny:
    """The service in a repository of its own, with a platform folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tiny"
        self.data = folder / "platform"
        self.root.mkdir()
        scratch = folder / "tmp"  # what is killed cannot clear up after itself
        scratch.mkdir(exist_ok=True)
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("TRUEGREEN", "HEROKU"))},
            "TMPDIR": str(scratch),
            "TRUEGREEN_PLATFORM_DATA": str(self.data),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "t",
            "GIT_AUTHOR_EMAIL": "t@example.com",
            "GIT_COMMITTER_NAME": "t",
            "GIT_COMMITTER_EMAIL": "t@example.com",
        }
        self.git("init", "--quiet")
        self.commit(FILES)

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env=self.env,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | None]) -> str:
        """Writes (None: removes) files, commits, and returns the commit."""
        for name, text in files.items():
            path = self.root / name
            if text is None:
                path.unlink()
            else:
                path.write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")
        return self.git("rev-parse", "HEAD")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "truegreen", *arguments]

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Done:
        """A command of ours, to its end."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.root,
            env={**self.env, **(env or {})},
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A command of ours in a process group of its own."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.root,
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def status(self) -> Any:
        return self.run("platform", "status", "--json").document

    def stop(self) -> None:
        self.run("platform", "stop")
