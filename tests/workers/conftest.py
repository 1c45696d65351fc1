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
def shop(location: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The folder of a service whose app is ``shop``, and whose state is the queue's database."""
    assert location.url is not None
    monkeypatch.setenv(DATABASE_URL, location.url.reveal())
    (tmp_path / "truegreen.toml").write_text(
        '[service]\nname = "x"\n[env.production]\napp = "shop"\n', encoding="utf-8"
    )
    return str(tmp_path)


@pytest.fixture
def queue(location: Location) -> Iterator[Queue]:
    with Queue.open(location) as one:
        yield one
