"""The embedded platform with its real API, builds, releases, router and edge, and dynos that are no
processes: they are up after BOOT seconds, and one server in here answers for all of them.

    python stubbed_platform.py DATA BOOT

For many apps at once. Prints the API's address when it is ready; ends at SIGTERM.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from truegreen.embedded import server
from truegreen.embedded.dynos import DynoManager, DynoPlan, DynoState

BOOT = 0.0


class StubbedDynos(DynoManager):
    """As the real ones, as far as the control plane, the router and the edge can see."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self._there: dict[str, dict[str, DynoState]] = {}
        self._env: dict[str, Any] = {}
        self._server: asyncio.Server | None = None
        self._booting: set[asyncio.Task[None]] = set()

    async def apply(self, app: str, plans: Sequence[DynoPlan]) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        before = self._there.get(app, {})
        now = {plan.name: self._begin_stub(plan, before.get(plan.name)) for plan in plans}
        self._there[app] = now
        for plan in plans:
            if now[plan.name].state != "up":
                task = asyncio.create_task(self._boot_stub(plan, now[plan.name].id))
                self._booting.add(task)
                task.add_done_callback(self._booting.discard)

    def _begin_stub(self, plan: DynoPlan, old: DynoState | None) -> DynoState:
        if old is not None and old.release_id == plan.release_id:
            return old
        now = datetime.now(UTC)
        return DynoState(
            str(uuid.uuid4()), plan.name, plan.app, plan.type, "starting", plan.release_id,
            plan.release_version, plan.command, None, None, now, now, "",
        )  # fmt: skip

    async def _boot_stub(self, plan: DynoPlan, name: str) -> None:
        await asyncio.sleep(BOOT)
        dyno = self._there.get(plan.app, {}).get(plan.name)
        if dyno is not None and dyno.id == name:
            assert self._server is not None
            port = self._server.sockets[0].getsockname()[1]
            self._env[plan.app] = plan.env
            self._there[plan.app][plan.name] = replace(
                dyno, state="up", port=port, updated_at=datetime.now(UTC)
            )

    def states(self, app: str | None = None) -> list[DynoState]:
        apps = self._there.values() if app is None else [self._there.get(app, {})]
        return [dyno for one in apps for dyno in one.values()]

    def serving(self, app: str) -> list[DynoState]:
        return self.states(app)

    async def forget(self, app: str) -> None:
        self._there.pop(app, None)

    async def close(self) -> None:
        for task in list(self._booting):
            task.cancel()
        await asyncio.gather(*self._booting, return_exceptions=True)
        if self._server is not None:
            self._server.close()
        await super().close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:] if line)
        }
        env = self._env.get(headers.get("host", "").partition(".")[0], {})
        status, body = "200 OK", {"status": "ok", "commit": env.get("HEROKU_SLUG_COMMIT")}
        if headers.get("x-origin-secret") != env.get("ORIGIN_SECRET"):
            status, body = "403 Forbidden", {"error": "direct_origin_blocked"}
        data = json.dumps(body).encode()
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode()
            + data
        )
        await writer.drain()
        writer.close()


def main() -> None:
    global BOOT
    data, BOOT = Path(sys.argv[1]), float(sys.argv[2])
    server.DynoManager = StubbedDynos  # type: ignore[misc]
    asyncio.run(
        server.serve(
            server.ServeOptions(data, port=0), lambda control: print(control.urls.api, flush=True)
        )
    )


if __name__ == "__main__":
    main()
