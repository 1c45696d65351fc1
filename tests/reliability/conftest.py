"""A tiny service on a platform of its own, taken down whatever the test did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_service import Tiny


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Tiny]:
    service = Tiny(tmp_path)
    yield service
    service.stop()
