"""What the release command must be told through a config var: set once, waited for, bound."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from truegreen.config import load_config
from truegreen.gates.override import Override
from truegreen.heroku import HerokuClient
from truegreen.heroku.models import Release
from truegreen.release.freeze import OVERRIDE
from truegreen.ship.means import Means
from truegreen.ship.overriding import actor, for_the_dyno
from truegreen.ship.releases import list_releases
from truegreen.ship.steps import find_or_set_vars

NOW = datetime(2026, 12, 24, 12, tzinfo=UTC)


def override(gate: str) -> Override:
    return Override(gate, "shop", "c" * 40, "a fix", "T-1", "ann", NOW, NOW.replace(hour=18))


def release(version: int, status: str, at: datetime = NOW) -> Release:
    return Release.from_json(
        {
            "id": f"id-{version}", "version": version, "status": status, "current": False,
            "description": "", "created_at": at.isoformat(), "updated_at": at.isoformat(),
            "slug": {"id": "s"}, "user": {"email": "a@example.com"}, "output_stream_url": None,
        }
    )  # fmt: skip


class App:
    """As much of a client as is asked: config vars, and a release that is pending at first."""

    def __init__(self, config: dict[str, str]) -> None:
        self.config = config
        self.made: list[Release] = [release(3, "succeeded")]
        self.asked = 0

    def config_vars(self, app: str) -> Mapping[str, str]:
        return self.config

    def set_config_vars(self, app: str, values: Mapping[str, str]) -> None:
        self.config |= values
        self.made.insert(0, release(4, "pending"))

    def releases(self, app: str, limit: int = 50) -> list[Release]:
        return self.made

    def release(self, app: str, name: str | int, within: float | None = None) -> Release:
        self.asked += 1
        return release(4, "succeeded" if self.asked > 2 else "pending")


def set_vars(app: App, values: Mapping[str, str]) -> tuple[bool, int]:
    changes: list[None] = []
    means = Means(sleep=lambda _: None)
    client = cast(HerokuClient, app)
    done = find_or_set_vars(client, "shop", values, lambda: changes.append(None), 5.0, means)
    return done, len(changes)


def test_a_var_is_set_once_and_its_release_is_waited_for() -> None:
    app = App({"OTHER": "x"})
    assert set_vars(app, {OVERRIDE: "c"}) == (True, 1)
    assert (app.config, app.asked) == ({"OTHER": "x", OVERRIDE: "c"}, 3)
    assert set_vars(app, {OVERRIDE: "c"}) == (False, 0)


def test_the_dyno_is_told_only_of_the_freeze_and_only_where_it_asks(tmp_path: Path) -> None:
    config = load_config(tmp_path)
    both = (override("scan"), override("freeze"))
    assert for_the_dyno(both, config) == {}
    (tmp_path / "freeze.lock").write_text("{}")
    assert for_the_dyno(both, config) == {OVERRIDE: f"{'c' * 40} 2026-12-24T18:00:00.000Z"}
    assert for_the_dyno(both[:1], config) == {}


def test_an_override_is_shown_with_the_releases_that_came_after_it() -> None:
    class Client:
        def releases(self, app: str, limit: int) -> list[Release]:
            return [release(5, "succeeded", NOW), release(4, "failed", NOW.replace(hour=11))]

        def slug(self, app: str, slug: str) -> Any:
            return type("Slug", (), {"commit": "c" * 40})

    given = {"c" * 40: [override("freeze").as_json()]}
    listed = list_releases(cast(HerokuClient, Client()), "shop", 10, given)
    assert [len(one.overrides) for one in listed] == [1, 0]


def test_who_overrides_is_the_workflows_actor_or_this_user() -> None:
    assert actor({"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "ann"}) == "ann (GitHub Actions)"
    assert "@" in actor({"GITHUB_ACTOR": "ann"})
