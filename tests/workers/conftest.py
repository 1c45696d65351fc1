"""A Postgres of this session, and a fresh database with a queue in it for each test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from shared_postgres import SharedPostgres, shared_postgres

from truegreen.state import DATABASE_URL, Location, locate
from truegreen.workers.queue import Queue


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedPostgres]:
    with shared_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def location(tmp_path: Path, postgres: SharedPostgres) -> Location:
    return locate(tmp_path, {DATABASE_URL: postgres.url()})


@pytest.fixture
def queue(location: Location) -> Iterator[Queue]:
    with Queue.open(location) as one:
        yield one
