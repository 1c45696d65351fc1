"""Stability is what was looked at for the whole time, and nothing less."""

from __future__ import annotations

import pytest

from truegreen.config.observing import Stability
from truegreen.model import Evidence, Verdict

from .scene import Scene, dyno, release


@pytest.fixture
def watched(scene: Scene) -> Scene:
    # The scene's clock goes on by a second each time that it is asked.
    scene.change(
        stability=Stability(seconds=10, every=2), required=(*scene.question.required, "stability")
    )
    return scene


def found(scene: Scene) -> tuple[Verdict, Evidence]:
    verification = scene.verify()
    item = verification.situation.of("stability")
    assert item is not None
    return verification.verdict, item


def test_a_time_without_change_passes_and_says_how_often_it_looked(watched: Scene) -> None:
    verdict, item = found(watched)
    assert verdict is Verdict.GREEN
    assert item.detail["looks"] >= 3
    assert item.detail["seconds"] >= 10


def test_green_then_crash_is_red(watched: Scene) -> None:
    def crash(nth: int) -> None:
        if nth == 3:
            watched.dynos = [dyno(state="crashed")]

    watched.on_pause = crash
    verdict, item = found(watched)
    assert (verdict, item.detail["kinds"]) == (Verdict.RED, ["dyno-crashed"])


def test_a_config_change_and_a_release_that_failed_afterwards_are_red(watched: Scene) -> None:
    def change(nth: int) -> None:
        if nth == 2:
            watched.variables["FLAG_A"] = "0"
            watched.releases.insert(0, release(4, 3, status="failed"))

    watched.on_pause = change
    verdict, item = found(watched)
    assert (verdict, item.detail["kinds"]) == (Verdict.RED, ["release-failed", "config-drift"])


def test_a_platform_that_is_away_for_long_is_unknown_and_for_a_moment_is_not(
    watched: Scene,
) -> None:
    def leave(nth: int) -> None:
        watched.away = {"releases"} if nth >= 1 else set()

    watched.on_pause = leave
    assert found(watched)[0] is Verdict.UNVERIFIED

    watched.away = set()

    def blink(nth: int) -> None:
        watched.away = {"releases"} if nth == 1 else set()

    watched.on_pause = blink
    assert found(watched)[0] is Verdict.GREEN


def test_a_release_that_failed_already_is_not_watched(watched: Scene) -> None:
    watched.releases[0] = release(3, 3, current=True, status="failed")
    verdict, item = found(watched)
    assert (verdict, item.observed) == (Verdict.RED, "not asked, since release.command fails")
