"""The scene that every test of verify begins with."""

from __future__ import annotations

import pytest

from .scene import Scene


@pytest.fixture
def scene() -> Scene:
    return Scene()
