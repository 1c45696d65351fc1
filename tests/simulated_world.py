"""A repository, a platform in memory and a clock that moves by waiting, to ship from and to."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulated_platform import APP, TOKEN, InMemory, SimulatedPlatform

from truegreen.config import load_config
from truegreen.ledger import Ledger
from truegreen.secret import Secret
from truegreen.ship.means import Means
from truegreen.ship.pipeline import Guards, Shipped, ship
from truegreen.ship.progress import Nobody
from truegreen.ship.source import read_source
from truegreen.ship.target import Target

BASE = "http://127.0.0.1:5000"
CONFIG = f"""
[service]
name = "{APP}"
[health]
samples = 2
[release]
timeout = 60
boot_timeout = 20
"""


class World:
    """A repository with commits, a platform in memory, and a clock that moves by waiting."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.now = 1_750_000_000.0
        self.git("init", "--quiet", "--initial-branch=main")
        (folder / "truegreen.toml").write_text(CONFIG)
        (folder / ".gitignore").write_text(".truegreen\n")
        self.first = self.commit("first")
        self.platform = SimulatedPlatform(BASE, clock=lambda: self.now, wait=self.wait)
        self.transport: Any = InMemory(self.platform)

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def git(self, *arguments: str) -> str:
        name = ("-c", "user.name=t", "-c", "user.email=t@example.com")
        done = subprocess.run(
            ["git", *name, *arguments], cwd=self.root, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, text: str) -> str:
        (self.root / "app.txt").write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", text)
        return self.git("rev-parse", "HEAD")

    def serve(self, commit: str) -> None:
        self.platform = SimulatedPlatform(
            BASE, clock=lambda: self.now, wait=self.wait, serving=commit
        )
        self.transport = InMemory(self.platform)

    def target(self) -> Target:
        means = Means(
            clock=lambda: self.now,
            sleep=self.wait,
            now=lambda: datetime.fromtimestamp(self.now, UTC),
            transport=self.transport,
        )
        environment = load_config(self.root).environments["production"]
        return Target("url", BASE, Secret(TOKEN), environment, means)

    def ship(self, watcher: Any = None, **guards: Any) -> Shipped:
        config = load_config(self.root)
        with Ledger.open(self.root / ".truegreen" / "ledger.sqlite3") as ledger:
            return ship(
                config,
                read_source(self.root),
                self.target,
                watcher or Nobody(),
                ledger=ledger,
                guards=Guards(**guards),
            )

    def records(self) -> list[Any]:
        with Ledger.open(self.root / ".truegreen" / "ledger.sqlite3") as ledger:
            return list(ledger.records())
