"""Where everything of one embedded platform lies on the disk: the names, not the contents."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class DataFolder(NamedTuple):
    """Where everything of one platform lives. Creating it makes it private to its owner."""

    root: Path

    def create(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)
        for folder in (self.logs, self.slugs, self.venvs, self.sources, self.wheels, self.git):
            folder.mkdir(exist_ok=True)

    @property
    def database(self) -> Path:
        return self.root / "state.sqlite3"

    @property
    def token_file(self) -> Path:
        return self.root / "token"

    @property
    def info_file(self) -> Path:
        return self.root / "platform.json"

    @property
    def serve_lock(self) -> Path:
        return self.root / "serve.lock"

    @property
    def start_lock(self) -> Path:
        return self.root / "start.lock"

    @property
    def processes(self) -> Path:
        """The record of running processes, for whoever comes after a kill."""
        return self.root / "processes.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def slugs(self) -> Path:
        return self.root / "slugs"

    @property
    def venvs(self) -> Path:
        return self.root / "venvs"

    @property
    def sources(self) -> Path:
        return self.root / "sources"

    @property
    def wheels(self) -> Path:
        return self.root / "wheels"

    @property
    def git(self) -> Path:
        return self.root / "git"

    @property
    def postgres(self) -> Path:
        return self.root / "pg"

    def slug_app(self, slug_id: str) -> Path:
        return self.slugs / slug_id / "app"

    def venv(self, name: str) -> Path:
        return self.venvs / name
