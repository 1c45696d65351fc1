"""A service in a repository of its own, with one review and whatever its actions are."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from truegreen.config import load_config
from truegreen.incidents.actions.desk import Desk, open_desk

INCIDENT = "2026-06-21-it-broke"
REVIEW = f"svc/docs/incidents/{INCIDENT}.md"
CHECK = "import sys; sys.exit(open('state.txt').read() != 'good\\n')\n"
PROOF = "    proof: {run: [python, check.py], files: [check.py], timeout: 20}\n"


@dataclass(frozen=True)
class Service:
    """A git repository whose folder ``svc`` is the service; the first commit is the bad day."""

    top: Path
    bad: str

    @property
    def root(self) -> Path:
        return self.top / "svc"

    @property
    def review(self) -> Path:
        return self.top / REVIEW

    def git(self, *arguments: str) -> str:
        return git(self.top, *arguments)

    def commit(self, message: str = "a change", **files: str) -> str:
        """Writes files (keys with __ for /, below the service) and commits everything."""
        for name, text in files.items():
            path = self.root / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def record(self, actions: str, *, message: str = "the review") -> str:
        """Commits a review with these actions (YAML, indented by two)."""
        self.review.parent.mkdir(parents=True, exist_ok=True)
        self.review.write_text(
            f"---\nid: {INCIDENT}\ndate: 2026-06-21\ncommit: {self.bad}\nactions:\n{actions}---\n"
        )
        return self.commit(message)

    @contextmanager
    def desk(self, base: str | None = None, commit: str = "HEAD") -> Iterator[Desk]:
        with open_desk(load_config(self.root), base=base, commit=commit) as desk:
            yield desk


def git(top: Path, *arguments: str) -> str:
    identity = {
        f"GIT_{who}_{what}": "x@example.com"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    done = subprocess.run(
        ["git", *arguments],
        cwd=top,
        env={**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def action(name: str = "fix", proof: str = PROOF, **more: str) -> str:
    lines = "".join(f"    {key}: {value}\n" for key, value in more.items())
    return f"  - id: {name}\n    owner: ada\n{lines}{proof}"
