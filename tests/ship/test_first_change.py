"""What counts as a change, before it is known whether it was made."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from truegreen.errors import Interrupted as Stopped
from truegreen.errors import PlatformRefused
from truegreen.ship.again import release_again
from truegreen.ship.change import Change
from truegreen.ship.lease import LeaseLost
from truegreen.ship.manifest import Manifest
from truegreen.ship.progress import Journal, Nobody
from truegreen.ship.run import Run
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


def test_an_interruption_while_a_release_is_asked_for_does_not_pass_for_nothing_done() -> None:
    def make() -> Any:
        raise KeyboardInterrupt

    nothing: Any = None
    config: Any = SimpleNamespace(default_env="production")
    target: Any = SimpleNamespace(environment=SimpleNamespace(name="staging"))
    with pytest.raises(Stopped, match="may have been made") as told:
        release_again(
            "retry", config, target, nothing, make, commit=None, before=None, notes=[],
            ledger=nothing, watcher=Nobody(),
        )  # fmt: skip
    assert (told.value.exit_code, told.value.hint) == (5, "truegreen releases --env staging")


def test_who_lost_the_lease_makes_no_app() -> None:
    class Lost:
        def confirm(self) -> None:
            raise LeaseLost("somebody else has it")

    class Untouchable:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"{name} was asked of the platform")

    nothing: Any = None
    target: Any = SimpleNamespace(kind="embedded", app="shop")
    client: Any = Untouchable()
    change = Change(
        Run(Journal(Nobody()), lambda: 0.0), client, nothing, nothing, target, nothing, nothing,
        Lost(), None,
    )  # fmt: skip
    with pytest.raises(LeaseLost):
        change.make()
