"""Making the app is a change, and counts as one before it is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from truegreen.errors import PlatformRefused
from truegreen.ship.manifest import Manifest
from truegreen.ship.steps import find_or_create_app


class Interrupted:
    """A platform without the app, and a Ctrl-C while it makes one."""

    def __init__(self, counted: list[str]) -> None:
        self.counted = counted

    def app(self, name: str) -> Any:
        raise PlatformRefused("no such app", status=404)

    def create_app(self, name: str) -> Any:
        assert self.counted == ["changed"], "before, or an interruption says: nothing was changed"
        raise KeyboardInterrupt


def test_an_interruption_while_the_app_is_made_finds_a_run_that_changed_something() -> None:
    counted: list[str] = []
    client: Any = Interrupted(counted)
    with pytest.raises(KeyboardInterrupt):
        find_or_create_app(
            client, "shop", Manifest({}, (), {}), lambda _: None, lambda: counted.append("changed")
        )
