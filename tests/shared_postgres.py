"""One embedded Postgres a process of the tests, for what may live there instead of in SQLite.

tests/conftest.py offers the two fixtures to every room.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from truegreen.embedded.postgres import PostgresServer
from truegreen.state import DATABASE_URL, Location, locate


class SharedPostgres:
    """``url()`` is a fresh, empty database."""

    def __init__(self, server: PostgresServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop

    def url(self) -> str:
        name = f"t{uuid.uuid4().hex[:12]}"
        return _on(self._loop, self._server.create_database(name)).result(60)


def _on(loop: asyncio.AbstractEventLoop, work: Any) -> Future[Any]:
    return asyncio.run_coroutine_threadsafe(work, loop)


@contextmanager
def shared_postgres(folder: Path) -> Iterator[SharedPostgres]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = PostgresServer(folder)
    try:
        _on(loop, server.start()).result(60)
        yield SharedPostgres(server, loop)
    finally:
        _on(loop, server.stop()).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedPostgres]:
    with shared_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """Where state may live: a file, and a fresh database."""
    if request.param == "sqlite":
        return locate(tmp_path, {})
    server: SharedPostgres = request.getfixturevalue("postgres")
    return locate(tmp_path, {DATABASE_URL: server.url()})
