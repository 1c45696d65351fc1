"""A platform with stubbed dynos, a Postgres, a repository of many apps, and worker processes.

For tests that need whole workers, and for their benchmark.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from job_orders import sql
from tiny_service import RELEASE, Done, Tiny

from truegreen.heroku import HerokuClient
from truegreen.secret import Secret
from truegreen.ship.leases import Leases
from truegreen.ship.source import read_source
from truegreen.state import DATABASE_URL, Location, locate
from truegreen.workers.job import Job
from truegreen.workers.making import make_order
from truegreen.workers.order import PROTOCOL, Options
from truegreen.workers.queue import Queue

QUICK = MappingProxyType({"release.py": RELEASE})
TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src"


class WorkerProcess:
    """``truegreen board --worker``; what it says is in ``said()``."""

    def __init__(self, yard: Yard, name: str, *options: str, source: Path | None = None) -> None:
        self.folder = yard.folder / name
        self.folder.mkdir(exist_ok=True)
        self._log = (self.folder / "said").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "truegreen", "board", str(self.folder), "--worker", *options],
            env={**yard.env, **({"PYTHONPATH": str(source)} if source else {})},
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def said(self) -> str:
        return (self.folder / "said").read_text(encoding="utf-8")

    def hear(self, part: str, seconds: float = 30.0) -> None:
        until_true(lambda: part in self.said(), seconds, lambda: f"{part!r}: {self.said()}")

    def kill(self) -> None:
        """kill -9, as the machine's end would: nothing of it is left to say anything."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self, number: int = signal.SIGTERM, seconds: float = 60.0) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(seconds)
        finally:
            if self.process.poll() is None:
                self.kill()
            self._log.close()
        return code


class Yard:
    """Everything that workers and runners have in common."""

    def __init__(self, folder: Path, database: str, api: str, token: str, apps: int) -> None:
        self.folder = folder
        self.api = api
        self.token = token
        self.service = Tiny(folder)
        self.env = self.service.env
        self.env |= {DATABASE_URL: database, "TRUEGREEN_API_TOKEN": token}
        self.apps = tuple(f"app-{number:03d}" for number in range(apps))
        tables = "".join(f'[env.{app}]\napp = "{app}"\nplatform = "{api}"\n' for app in self.apps)
        text = f'[service]\nname = "tiny"\ndefault_env = "app-000"\n[health]\nsamples = 2\n{tables}'
        self.service.commit({"truegreen.toml": text})
        self.service.git("remote", "add", "origin", str(self.service.root))
        self.location: Location = locate(folder, {DATABASE_URL: database})

    def commit(self, files: Mapping[str, str | None] = QUICK) -> str:
        return self.service.commit(files)

    def commit_held(self) -> tuple[str, Path]:
        """A commit whose release command goes on when the file is there, or after 30 seconds."""
        go = self.folder / f"go-{uuid.uuid4().hex}"
        wait = f"import os, time\nfor _ in range(600):\n    if os.path.exists({str(go)!r}): break\n"
        return self.commit({"release.py": f"{wait}    time.sleep(0.05)\n{RELEASE}"}), go

    def enqueue(self, app: str, **other: Any) -> int:
        """The service's HEAD, to ``app``."""
        from truegreen.config import load_config

        config = load_config(self.service.root)
        source = read_source(self.service.root)
        order = make_order(Options(), config.environments[app], source, None, asked_by="ada@runner")
        with Queue.open(self.location) as queue:
            return queue.enqueue(replace(order, **other))

    def job(self, number: int) -> Job:
        with Queue.open(self.location) as queue:
            standing = queue.standing(number)
        assert standing is not None
        return standing.job

    def ended(self, numbers: Iterable[int], seconds: float = 60.0) -> list[Job]:
        """The jobs, once all of them have ended."""
        wanted = sorted(numbers)
        left = f"SELECT count(*) FROM job WHERE state <> 'ended' AND id = ANY (ARRAY{wanted})"
        until_true(lambda: sql(self.location, left) == [(0,)], seconds,
                   lambda: str([self.job(number) for number in wanted][:3]), pause=0.2)  # fmt: skip
        return [self.job(number) for number in wanted]

    def step(self, number: int, name: str, state: str) -> None:
        """Waits until the job's ship told of a step."""
        until_true(
            lambda: (name, state) in [one[:2] for one in self.job(number).steps], 30,
            lambda: str(self.job(number)), pause=0.02,
        )  # fmt: skip

    def made(self, app: str, commit: str) -> tuple[int, int]:
        """(builds, releases) of the commit on the platform."""
        with HerokuClient(self.api, Secret(self.token)) as client:
            builds = [one for one in client.builds(app) if one.source_version == commit]
            slugs = Counter(one.slug_id for one in client.releases(app))
            return len(builds), sum(slugs[one.slug_id] for one in builds if one.slug_id)

    def kill_child_of(self, app: str) -> None:
        """kill -9 to the process that ships ``app``: the one that holds its lease."""
        leases = Leases.open(self.location)
        lease = leases.look(f"{self.api}/apps/{app}").lease
        leases.close()
        assert lease is not None
        os.kill(lease.pid, signal.SIGKILL)

    def run(self, *arguments: str) -> Done:
        return self.service.run(*arguments)

    @contextmanager
    def worker(
        self, name: str, *options: str, source: Path | None = None
    ) -> Iterator[WorkerProcess]:
        one = WorkerProcess(self, name, *options, source=source)
        try:
            yield one
        finally:
            one.stop()


@contextmanager
def yard(folder: Path, database: str, *, apps: int, boot: float) -> Iterator[Yard]:
    """A yard with a platform of its own; ``boot``: seconds that a dyno takes to be up."""
    data = folder / "platform"
    platform = subprocess.Popen(
        [sys.executable, str(TESTS / "stubbed_platform.py"), str(data), str(boot)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert platform.stdout is not None
        api = platform.stdout.readline().strip()
        token = (data / "token").read_text(encoding="ascii").strip()
        yield Yard(folder, database, api, token, apps)
    finally:
        platform.terminate()
        platform.wait(30)
        assert platform.stdout is not None
        platform.stdout.close()


def newer_version(folder: Path) -> Path:
    """A copy of our source whose protocol is one more: a TrueGreen of tomorrow, for PYTHONPATH."""
    target = folder / "newer"
    shutil.copytree(SOURCE, target, ignore=shutil.ignore_patterns("__pycache__"))
    order = target / "truegreen" / "workers" / "order.py"
    text = order.read_text(encoding="utf-8")
    assert f"\nPROTOCOL = {PROTOCOL} " in text
    order.write_text(
        text.replace(f"\nPROTOCOL = {PROTOCOL} ", f"\nPROTOCOL = {PROTOCOL + 1} "), encoding="utf-8"
    )
    return target


def until_true(
    holds: Callable[[], bool], seconds: float, told: Callable[[], str], *, pause: float = 0.05
) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, told()
        time.sleep(pause)
