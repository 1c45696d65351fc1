"""A process that has imported pytest and much of the standard library, and forks for each run.

    python -m truegreen.hermetic.prove.forkserver FD FD PYTEST-ARGUMENTS-AS-JSON

It takes orders at the first descriptor. An order to collect makes a fork that imports the
application, collects the suite and then takes orders at the second: runs that need not begin before
the import. When whoever gave the orders is gone, the whole process group ends.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from truegreen.hermetic.prove.orders import Order, parse_order
from truegreen.hermetic.prove.session import CaseSession, become

_PAUSE = 0.003  # seconds between looks at running children
# What most services and test suites import of the standard library, and nothing of theirs.
_COMMON = (
    "asyncio", "concurrent.futures", "ctypes", "decimal", "email.mime.multipart", "hashlib", "html",
    "http.client", "http.cookiejar", "http.cookies", "http.server", "importlib.metadata",
    "importlib.resources", "logging.handlers", "mimetypes", "multiprocessing", "queue", "secrets",
    "smtplib", "sqlite3", "ssl", "tomllib", "unittest.mock", "urllib.request", "uuid", "zoneinfo",
)  # fmt: skip


def serve(channel: socket.socket, after_first: Callable[[], None] | None = None) -> Order:
    """Takes orders; returns, in a fork for each, the order that is to be carried out there.
    ``after_first`` is called here once the first is under way.

    Never returns in this process itself. An order's end, or its killing after its timeout, is told
    through the channel as ``{"id", "exit", "timed_out"}``.
    """
    children: dict[int, tuple[int, float]] = {}
    late: set[int] = set()
    rest = b""
    while True:
        ready, _, _ = select.select([channel], [], [], _PAUSE if children else None)
        if ready:
            data = channel.recv(1 << 20)
            if not data:
                os.killpg(0, signal.SIGKILL)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                order = parse_order(line)
                pid = _fork()
                if pid == 0:
                    channel.close()
                    return order
                children[pid] = (order.id, time.monotonic() + order.timeout)
                if after_first is not None:
                    after_first()
                    after_first = None
        for pid, (number, deadline) in list(children.items()):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                del children[pid]
                code = os.waitstatus_to_exitcode(status)
                tell(channel, {"id": number, "exit": code, "timed_out": pid in late})
                late.discard(pid)
            elif time.monotonic() > deadline and pid not in late:
                late.add(pid)
                os.kill(pid, signal.SIGKILL)


def tell(channel: socket.socket, said: object) -> None:
    """One line to whoever gives the orders; gone, everything ends."""
    try:
        channel.sendall(json.dumps(said).encode("ascii") + b"\n")
    except OSError:
        os.killpg(0, signal.SIGKILL)


def _import_common() -> None:
    for name in _COMMON:
        with suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _fork() -> int:
    with warnings.catch_warnings():
        # Python 3.12 warns where threads run; sessions with threads take no orders (session.py).
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def main(orders: int, warm_orders: int, arguments: list[str]) -> None:
    import pytest

    warm = socket.socket(fileno=warm_orders)
    # The first order collects the suite, which imports what it needs; these are for the others.
    order = serve(socket.socket(fileno=orders), _import_common)
    # From here on: a fork, with one order.
    folder = Path(order.folder)
    tempfile.tempdir = None
    become({"TMPDIR": str(folder)})
    session = CaseSession(order, warm if order.collect else None)
    if not order.collect:
        warm.close()
    sys.argv = ["pytest", *arguments]
    code = pytest.main(arguments, plugins=[session])
    session.told()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(code))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]))
