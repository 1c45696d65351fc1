"""What watches share, on both databases."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from shared_postgres import SharedPostgres, shared_postgres

from truegreen.state import DATABASE_URL, LastingDatabase, Location, locate
from truegreen.watch.together import lasting


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedPostgres]:
    with shared_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.xdist_group("pg"))])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    if request.param == "sqlite":
        return locate(tmp_path, {})
    server: SharedPostgres = request.getfixturevalue("postgres")
    return locate(tmp_path, {DATABASE_URL: server.url()})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[LastingDatabase]:
    """On SQLite: what both databases do is asked of ``location`` in one test a room."""
    made = lasting(locate(tmp_path, {}))
    yield made
    made.close()
