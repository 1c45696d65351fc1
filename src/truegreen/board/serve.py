"""Runs the board on an address of this machine until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence

import uvicorn

from truegreen.board.annex import Annex
from truegreen.board.app import make_app
from truegreen.board.doorway import LOOPBACK
from truegreen.board.sources import Sources
from truegreen.errors import UsageError

_GRACE = 2  # seconds that requests have left at the end


def serve(
    sources: Sources,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    names: Iterable[str] = (),
    annexes: Sequence[Annex] = (),
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serves until SIGINT or SIGTERM. ``host``: the address to listen on. ``port`` 0: any.
    ``names``: what the Host header may say besides this machine's own names. ``ready`` hears the
    address. Raises UsageError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, because asyncio sends without delay only on a socket that says so: 40 ms an answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)  # before the address is told, so that who asks at once waits
    except OSError as error:
        listener.close()
        raise UsageError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    app = make_app(sources, hosts=(*LOOPBACK, *names), annexes=annexes)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )  # fmt: skip
    told = f"[{host}]" if ":" in host else host
    ready(f"http://{told}:{listener.getsockname()[1]}/")
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        listener.close()
