"""A stage: a private embedded platform and private git repositories, all gone afterwards.

Drills are played on it, and releases are rehearsed. Nothing of the user's own platform, repository
or ledger is touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truegreen.config import Config, Environment, load_config
from truegreen.embedded.locate import PlatformInfo, ensure_running, stop
from truegreen.errors import UsageError
from truegreen.heroku import HerokuClient
from truegreen.ledger import Ledger
from truegreen.ship.pipeline import Guards, ship
from truegreen.ship.progress import Nobody, Watcher
from truegreen.ship.source import Source, read_source
from truegreen.ship.target import Target

_LEFT_OUT = shutil.ignore_patterns(
    ".truegreen", "__pycache__", ".pytest_cache", ".git", "*.sqlite3"
)


@dataclass(frozen=True, slots=True)
class Stage:
    """A platform and a folder for repositories."""

    platform: PlatformInfo
    folder: Path

    def client(self) -> HerokuClient:
        return HerokuClient(self.platform.api, self.platform.token())

    def ship(self, repository: Path, app: str, watcher: Watcher | None = None) -> Mapping[str, Any]:
        """Ships the repository's HEAD to ``app`` on this stage; ship's document."""
        config = load_config(repository)
        environment = config.environments[config.default_env]._replace(app=app)
        return self.ship_source(config, read_source(repository), environment, watcher)

    def ship_source(
        self,
        config: Config,
        source: Source,
        environment: Environment,
        watcher: Watcher | None = None,
        *,
        forward_only: bool = False,
    ) -> Mapping[str, Any]:
        """Ships ``source`` to the app of ``environment`` on this stage; ship's document.

        ``forward_only``: code that serves is not taken back, as in production; raises Refused.
        """
        environment = environment._replace(edge="", origin="", token="")
        with Ledger.open(self.folder / "ledger.sqlite3") as ledger:
            shipped = ship(
                config,
                source,
                lambda: self.target(environment),
                watcher or Nobody(),
                ledger=ledger,
                guards=Guards(forward_only=forward_only),
            )
        return shipped.document

    def target(self, environment: Environment) -> Target:
        """The app of ``environment`` on this stage."""
        return Target("embedded", self.platform.api, self.platform.token(), environment)


@contextmanager
def open_stage(settings: Mapping[str, str]) -> Iterator[Stage]:
    """A stage with a fresh platform, set as ``settings`` says; taken down whatever happens."""
    with tempfile.TemporaryDirectory(
        prefix="truegreen-stage-",
        ignore_cleanup_errors=True,  # Ctrl-C: somebody still writes
    ) as name:
        folder = Path(name)
        data = folder / "platform"
        try:
            info = ensure_running(data)
            stage = Stage(info, folder)
            change_settings(info, settings)
            yield stage
        finally:
            stop(data)


def change_settings(info: PlatformInfo, settings: Mapping[str, str]) -> None:
    """Changes the stage's settings while it runs."""
    from truegreen.light_httpx import httpx

    answer = httpx.patch(
        info.api + "/truegreen/settings",
        json=dict(settings),
        headers={"Authorization": f"Bearer {info.token().reveal()}"},
        timeout=10.0,
    )
    answer.raise_for_status()


def copy_service(service: Path, target: Path) -> None:
    """A copy of the service in a repository of its own, without a commit yet."""
    if not (service / "Procfile").is_file():
        raise UsageError(f"{service} has no Procfile: it is not the drill's service")
    shutil.copytree(service, target, ignore=_LEFT_OUT)
    git(target, "init", "--quiet")


def commit(repository: Path, message: str) -> str:
    """Commits everything in the repository; the commit's id."""
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(repository, "rev-parse", "HEAD").strip()


def edit_text(path: Path, change: Callable[[str], str]) -> None:
    """Changes a file's text. UsageError when the change changes nothing: then it is not put in."""
    before = path.read_text(encoding="utf-8")
    after = change(before)
    if after == before:
        raise UsageError(f"{path.name} is not as the drill expects it: its change did not take")
    path.write_text(after, encoding="utf-8")


def git(folder: Path, *arguments: str) -> str:
    """git without the user's configuration; its output."""
    identity = {
        "GIT_AUTHOR_NAME": "drill",
        "GIT_AUTHOR_EMAIL": "drill@example.com",
        "GIT_COMMITTER_NAME": "drill",
        "GIT_COMMITTER_EMAIL": "drill@example.com",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
    }
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **identity},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise UsageError(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout
