"""What changes while it is looked at is looked at again: no green rests on two releases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from truegreen.heroku.models import Release
from truegreen.model import Verdict
from truegreen.ship.verification import ask
from truegreen.verify.probe import Get, HttpAnswer

from .scene import OLD, FakePlatform, Scene, blocked, healthy, release


class Means:
    """The app's doors as the scene has them, and a clock that nobody waits for."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.looks = 0

    clock = staticmethod(lambda: 0.0)
    sleep = staticmethod(lambda _: None)

    @staticmethod
    def now() -> Any:
        return release(1, None).created_at

    @contextmanager
    def probe(self) -> Iterator[Get]:
        self.looks += 1

        def get(url: str, headers: Mapping[str, str]) -> HttpAnswer:
            return healthy() if url.startswith(self.scene.edge_url.rstrip("/")) else blocked()

        yield get


class Overtaken(FakePlatform):
    """Somebody else's release becomes the current one after the first look at them."""

    def releases(self, app: str) -> list[Release]:
        found = super().releases(app)
        self.scene.slugs["slug-2"] = OLD
        self.scene.releases = [release(4, 2, current=True), release(3, 3), release(2, 2)]
        return found


def test_a_release_that_was_overtaken_while_it_was_verified_is_not_green(scene: Scene) -> None:
    means: Any = Means(scene)
    found = ask(scene.question, Overtaken(scene), means=means)
    assert (found.verdict, means.looks) == (Verdict.RED, 2)
    assert found.situation.serving is not None
    assert found.situation.serving.version == 4


def test_what_stays_as_it_is_is_looked_at_once(scene: Scene) -> None:
    means: Any = Means(scene)
    assert ask(scene.question, FakePlatform(scene), means=means).verdict is Verdict.GREEN
    assert means.looks == 1


def test_a_platform_that_goes_away_before_the_last_look_is_not_green(scene: Scene) -> None:
    class Away(FakePlatform):
        asked = 0

        def releases(self, app: str) -> list[Release]:
            self.asked += 1
            if self.asked > 1:
                self.scene.away.add("all")
            return super().releases(app)

    means: Any = Means(scene)
    assert ask(scene.question, Away(scene), means=means).verdict is Verdict.UNVERIFIED
