"""Where state may live: a file, and a Postgres of this session."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from shared_postgres import SharedPostgres, shared_postgres

from truegreen.state import DATABASE_URL, Location, locate


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedPostgres]:
    with shared_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    if request.param == "sqlite":
        return locate(tmp_path, {})
    server: SharedPostgres = request.getfixturevalue("postgres")
    return locate(tmp_path, {DATABASE_URL: server.url()})
