"""The embedded platform's edge and router in front of real servers, as Heroku behind Cloudflare."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from truegreen.embedded.dynos import DynoState
from truegreen.embedded.edge import Edge, EdgeRule
from truegreen.embedded.router import Router, RouterVersion
from truegreen.guard.selftest.urls import UrlDriver
from truegreen.secret import Secret

from .apps import HEADER
from .servers import LONG

HOST = "shop.localhost"
# Who connects to the router: the edge from 127.0.0.1, attackers from elsewhere in 127.0.0.0/8.
NETWORKS = "127.0.0.1/32 173.245.48.0/20 2606:4700::/32"
ATTACKER = "127.0.0.66"


class Front:
    """``dynos``: ports that are up; ``secret``: what the Transform Rule sets. Change them."""

    def __init__(self, secret: str, *ports: int) -> None:
        self.secret = secret
        self.dynos = list(ports)
        self.edge_port = self.router_port = 0

    def states(self, app: str | None = None) -> list[DynoState]:
        now = datetime.now(UTC)
        return [
            DynoState(
                str(port), f"web.{n}", "shop", "web", "up", "r", 1, "x", None, port, now, now, ""
            )
            for n, port in enumerate(self.dynos, 1)
        ]

    serving = states

    def rule(self, host: str) -> EdgeRule | None:
        return EdgeRule(HEADER, Secret(self.secret)) if host == HOST else None

    @property
    def through_the_edge(self) -> UrlDriver:
        return UrlDriver(f"http://{HOST}:{self.edge_port}", timeout=LONG)

    @property
    def past_the_edge(self) -> UrlDriver:
        url = f"http://{HOST}:{self.router_port}"
        return UrlDriver(url, timeout=LONG, connect=_from_elsewhere)


def _from_elsewhere(address: tuple[str, int], timeout: float) -> socket.socket:
    return socket.create_connection(address, timeout, source_address=(ATTACKER, 0))


@contextmanager
def in_front(version: RouterVersion, secret: str, *ports: int) -> Iterator[Front]:
    """Router and edge, in a thread of their own."""
    front = Front(secret, *ports)
    ready, loop = threading.Event(), asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        router = Router(lambda host: "shop", front, lambda: ["shop"], version=version)
        front.router_port = await router.start()
        edge = Edge(front.rule, ("127.0.0.1", front.router_port))
        front.edge_port = await edge.start()
        ready.set()
        await over.wait()
        await edge.close()
        await router.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(LONG)
        yield front
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(LONG)
        loop.close()
