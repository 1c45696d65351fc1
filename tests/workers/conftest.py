"""A fresh database on Postgres, with a queue in it, for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from shared_postgres import SharedPostgres

from truegreen.state import DATABASE_URL, Location, locate
from truegreen.workers.queue import Queue


@pytest.fixture
def location(tmp_path: Path, postgres: SharedPostgres) -> Location:
    return locate(tmp_path, {DATABASE_URL: postgres.url()})


@pytest.fixture
def queue(location: Location) -> Iterator[Queue]:
    with Queue.open(location) as one:
        yield one
