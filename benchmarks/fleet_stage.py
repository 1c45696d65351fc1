"""The stage of fleet.py: the embedded platform with many apps, its API real, its dynos on paper.

Run as a program it serves until SIGTERM; what is measured, and what is claimed, is fleet.py's.
Every call that a watch makes is written to ``calls.log`` by the API itself: when (CLOCK_MONOTONIC),
status, bytes of the answer, path.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from truegreen.embedded import server
from truegreen.embedded.api import build_api
from truegreen.embedded.data_folder import DataFolder
from truegreen.embedded.dynos import DynoManager, DynoPlan, DynoState
from truegreen.embedded.records import FormationEntry, ReleaseStatus, Slug, new_id, now
from truegreen.embedded.store import Store

LOG = "calls.log"
READY = "the stage is ready"
RELEASES = 3  # of each app at the start
# A real process, started by the platform as any release command is.
RELEASE_COMMAND = 'sleep ${HOLD:-0}; test -z "$FAIL"'


def name_of(number: int) -> str:
    return f"app-{number:04}"


class PaperDynos(DynoManager):
    """Dynos that are up as soon as they are wanted, and are no processes."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._paper: dict[str, list[DynoState]] = {}

    async def apply(self, app: str, plans: Sequence[DynoPlan]) -> None:
        at = datetime.now(UTC)
        self._paper[app] = [
            DynoState(str(uuid.uuid4()), plan.name, app, plan.type, "up", plan.release_id,
                      plan.release_version, plan.command, None, None, at, at, "")
            for plan in plans
        ]  # fmt: skip

    def states(self, app: str | None = None) -> list[DynoState]:
        if app is None:
            return [one for dynos in self._paper.values() for one in dynos]
        return self._paper.get(app, [])


class Counted:
    """Around the API: notes each call of a truegreen client."""

    def __init__(self, app: ASGIApp, log: TextIO) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or dict(scope["headers"]).get(b"user-agent") != b"truegreen":
            await self._app(scope, receive, send)
            return
        status = size = 0

        async def noted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            size += len(message.get("body", b""))
            await send(message)

        at = time.monotonic()
        await self._app(scope, receive, noted)
        self._log.write(f"{at:.4f} {status} {size} {scope['path']}\n")


@dataclass(frozen=True)
class Call:
    at: float
    status: int
    size: int
    path: str


def calls(folder: Path, since: float = 0.0) -> list[Call]:
    """What watches have asked since ``since`` (CLOCK_MONOTONIC), in order."""
    found = []
    for line in (folder / LOG).read_text(encoding="utf-8").splitlines():
        at, status, size, path = line.split(" ", 3)
        if float(at) >= since:
            found.append(Call(float(at), int(status), int(size), path))
    return sorted(found, key=lambda call: call.at)


def seed(data: DataFolder, apps: int) -> None:
    """``apps`` apps of three releases each and a web dyno, as builds would have left them."""
    store = Store(data.database)
    for number in range(apps):
        app = store.add_app(name_of(number))
        types = {"web": "serve", "release": RELEASE_COMMAND}
        slug = Slug(new_id(), app.id, f"{number:040x}", types, "none", 1, "sha256:0", now())
        store.add_slug(slug)
        data.slug_app(slug.id).mkdir(parents=True)
        config = {f"SETTING_{n}": f"value {n} of {app.name}" for n in range(20)}
        for version in range(RELEASES):
            release = store.add_release(
                app.id, description=f"Deploy {version}", slug_id=slug.id, config=config,
                run_command=False, stream=None, set_config=True,
            )  # fmt: skip
            store.end_release(release, ReleaseStatus.SUCCEEDED, current=True)
        store.set_formation([FormationEntry(app.id, "web", 1, "Basic")])
    store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--apps", type=int, required=True)
    chosen = parser.parse_args()
    data = DataFolder(chosen.folder.absolute())
    data.create()
    seed(data, chosen.apps)
    with (chosen.folder / LOG).open("a", buffering=1, encoding="utf-8") as log:
        # Not the platform's business, so its parts are put in from here.
        vars(server)["DynoManager"] = PaperDynos
        vars(server)["build_api"] = lambda control: Counted(build_api(control), log)
        asyncio.run(
            server.serve(
                server.ServeOptions(data.root), lambda _: print(READY, file=sys.stderr, flush=True)
            )
        )


if __name__ == "__main__":
    main()
