"""One embedded Postgres for all tests of a worker that want one; a database each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from truegreen.gates.migrations.server import EmbeddedServer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedServer]:
    with EmbeddedServer() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: EmbeddedServer) -> str:
    """The URL of an empty database."""
    return postgres_server.database()


@pytest.fixture(scope="session")
def administrator(postgres_server: EmbeddedServer) -> str:
    """The URL of a role that may make databases on the same server."""
    postgres_server.database()
    server = postgres_server._server
    password = (server._data / "superuser").read_text(encoding="ascii")
    return f"postgres://postgres:{password}@127.0.0.1:{server.port}/postgres"
