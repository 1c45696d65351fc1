from __future__ import annotations

from collections.abc import Iterator

import pytest

from truegreen.errors import DeadlineExceeded, PlatformRefused, PlatformUnreachable
from truegreen.heroku import models, wait_for_build, wait_for_release

from .platform_double import Time, build_json, release_json


class Platform:
    """Answers with one status after the other, and with the last one for ever."""

    def __init__(self, time: Time, *answers: str | Exception, costs: float = 0.0) -> None:
        self.time = time
        self.answers: Iterator[str | Exception] = iter(answers)
        self.costs = costs
        self.last: str | Exception = "pending"
        self.asked: list[float | None] = []

    def _next(self, within: float | None) -> str:
        self.asked.append(within)
        self.time.now += self.costs
        self.last = next(self.answers, self.last)
        if isinstance(self.last, Exception):
            raise self.last
        return self.last

    def build(self, app: str, build_id: str, *, within: float | None = None) -> models.Build:
        return models.Build.from_json(build_json(status=self._next(within)))

    def release(
        self, app: str, id_or_version: str | int, *, within: float | None = None
    ) -> models.Release:
        return models.Release.from_json(release_json(status=self._next(within)))


AWAY = PlatformUnreachable("away")


@pytest.mark.parametrize("status", ["succeeded", "failed", "expired"])
def test_release_is_waited_for_until_it_is_done(status: str) -> None:
    time = Time()
    platform = Platform(time, *["pending"] * 20, status)
    found = wait_for_release(
        platform, "raptor", "r1", deadline=3600, clock=time.clock, sleep=time.sleep
    )
    assert found.status == status
    assert time.slept[0] == pytest.approx(0.1)
    assert time.slept == sorted(time.slept)
    assert time.slept[-1] == 2.0


def test_build_is_waited_for_until_it_is_done() -> None:
    time = Time()
    platform = Platform(time, "pending", "failed")
    found = wait_for_build(platform, "raptor", "b1", deadline=9, clock=time.clock, sleep=time.sleep)
    assert found.status == "failed"
    assert len(platform.asked) == 2


def test_pending_for_ever_ends_at_our_deadline() -> None:
    time = Time()
    platform = Platform(time, "pending")
    with pytest.raises(DeadlineExceeded, match="release v288 of raptor is still pending after 60"):
        wait_for_release(
            platform, "raptor", "v288", deadline=60, clock=time.clock, sleep=time.sleep
        )
    assert time.now == pytest.approx(1060, abs=0.1)
    assert len(platform.asked) < 45


def test_what_is_done_just_at_the_deadline_is_still_seen() -> None:
    time = Time()
    platform = Platform(time, "pending", "succeeded")
    found = wait_for_release(
        platform, "raptor", "r1", deadline=0.05, clock=time.clock, sleep=time.sleep
    )
    assert found.status == "succeeded"


def test_each_question_gets_only_the_time_that_is_left() -> None:
    time = Time()
    platform = Platform(time, "pending", costs=3.0)
    with pytest.raises(DeadlineExceeded):
        wait_for_build(platform, "raptor", "b1", deadline=10, clock=time.clock, sleep=time.sleep)
    assert platform.asked[0] == 10
    assert all(within is not None and 1 <= within <= 10 for within in platform.asked)


def test_platform_that_restarts_meanwhile_is_forgiven() -> None:
    time = Time()
    platform = Platform(time, "pending", AWAY, AWAY, AWAY, "pending", AWAY, "succeeded")
    found = wait_for_release(
        platform, "raptor", "r1", deadline=600, clock=time.clock, sleep=time.sleep
    )
    assert found.status == "succeeded"


def test_platform_that_stays_away_is_unreachable_before_the_deadline() -> None:
    time = Time()
    with pytest.raises(PlatformUnreachable):
        wait_for_release(
            Platform(time, "pending", AWAY),
            "raptor",
            "r1",
            deadline=3600,
            clock=time.clock,
            sleep=time.sleep,
        )
    assert 1025 < time.now < 1040


def test_patience_is_for_one_absence_not_for_all_together() -> None:
    time = Time()
    platform = Platform(time, *["pending", AWAY] * 60, "succeeded")
    found = wait_for_build(
        platform, "raptor", "b1", deadline=3600, clock=time.clock, sleep=time.sleep
    )
    assert found.status == "succeeded"
    assert time.now > 1100


def test_refusal_ends_the_waiting_at_once() -> None:
    time = Time()
    platform = Platform(time, "pending", PlatformRefused("no", status=401))
    with pytest.raises(PlatformRefused):
        wait_for_build(platform, "raptor", "b1", deadline=60, clock=time.clock, sleep=time.sleep)
    assert len(platform.asked) == 2
