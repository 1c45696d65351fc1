"""What watches share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from truegreen.state import LastingDatabase, locate
from truegreen.watch.together import lasting


@pytest.fixture
def database(tmp_path: Path) -> Iterator[LastingDatabase]:
    """On SQLite: what both databases do is asked of ``location`` in one test a room."""
    made = lasting(locate(tmp_path, {}))
    yield made
    made.close()
