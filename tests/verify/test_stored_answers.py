"""An answer out of a cache is one answer, however often it is given, and says nothing of now."""

from __future__ import annotations

from dataclasses import replace

import pytest

from truegreen.model import Status, Verdict

from .scene import OLD, Scene, healthy


@pytest.mark.parametrize("status", ["HIT", "STALE", "UPDATING"])
def test_answers_of_a_cache_do_not_show_what_serves(scene: Scene, status: str) -> None:
    stored = replace(healthy(), headers={"cf-cache-status": status, "age": "3"})
    scene.edge = lambda nth: stored
    found = scene.verify()
    assert found.verdict is Verdict.UNVERIFIED
    for check in ("code.served", "health.edge"):
        evidence = found.situation.of(check)
        assert evidence is not None
        assert (evidence.status, status in evidence.observed) == (Status.UNKNOWN, True)


def test_one_stored_answer_among_fresh_ones_is_enough(scene: Scene) -> None:
    stored = replace(healthy(), headers={"age": "12"})
    scene.edge = lambda nth: stored if nth == 1 else healthy()
    evidence = scene.verify().situation.of("code.served")
    assert evidence is not None
    assert evidence.observed == "a cache (age: 12) answered, which does not know what serves"


@pytest.mark.parametrize(
    "headers",
    [{"cf-cache-status": "MISS"}, {"cf-cache-status": "DYNAMIC"}, {"age": "0"}, {"age": "soon"}],
)
def test_what_went_through_to_the_app_counts(scene: Scene, headers: dict[str, str]) -> None:
    fresh = replace(healthy(), headers=headers)
    scene.edge = lambda nth: fresh
    assert scene.verify().verdict is Verdict.GREEN


def test_old_code_out_of_a_cache_is_no_sign_of_an_old_dyno(scene: Scene) -> None:
    stored = replace(healthy(OLD), headers={"cf-cache-status": "HIT"})
    scene.edge = lambda nth: stored
    evidence = scene.verify().situation.of("code.served")
    assert evidence is not None
    assert evidence.status is Status.UNKNOWN
