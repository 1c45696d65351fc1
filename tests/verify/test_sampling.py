"""How often ``code.served`` asks: as configured, else by the dynos that there are."""

from __future__ import annotations

from itertools import count

import pytest

from truegreen.config import Health
from truegreen.verify.sampling import LEAST, MISSED, MOST, enough

from .scene import NEW, OLD, Scene, dyno, healthy


@pytest.mark.parametrize("dynos", range(15))
def test_one_old_dyno_slips_through_less_than_once_in_a_thousand(dynos: int) -> None:
    asked = enough(dynos)
    assert LEAST <= asked <= MOST
    assert (1 - 1 / max(2, dynos)) ** asked < MISSED
    # Not more than it takes, either.
    assert asked == LEAST or (1 - 1 / max(2, dynos)) ** (asked - 1) >= MISSED


def test_it_ends_with_a_hundred_however_many_dynos() -> None:
    assert enough(10_000) == MOST


def served(scene: Scene) -> str:
    return scene.verify().situation.of("code.served").observed


def unconfigured(**more: object) -> Scene:
    scene = Scene(**more)  # type: ignore[arg-type]
    scene.change(health=Health())
    return scene


def test_unset_it_goes_by_the_web_dynos() -> None:
    four = [dyno(f"web.{number}") for number in range(1, 5)] + [dyno("worker.1")]
    assert served(unconfigured(dynos=four)) == f"{NEW[:8]}, 25 times in a row"
    assert served(unconfigured()) == f"{NEW[:8]}, 10 times in a row"


def test_when_the_dynos_cannot_be_asked_for_there_are_two() -> None:
    assert served(unconfigured(away={"dynos"})) == f"{NEW[:8]}, 10 times in a row"


def test_an_old_dyno_that_answers_last_of_them_is_seen() -> None:
    nth = count(1)
    scene = unconfigured(edge=lambda _nth: healthy(OLD if next(nth) >= 10 else NEW))
    assert served(scene) == f"the app says {OLD[:8]}"
