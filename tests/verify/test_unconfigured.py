"""An app that nobody configured anything for: what is asked, and what is not held against it."""

from __future__ import annotations

from pathlib import Path

import pytest

from truegreen.config.load import parse_config
from truegreen.model import Status, Verdict
from truegreen.ship.verification import question_for
from truegreen.verify.probe import HttpAnswer
from truegreen.verify.run import Verification

from .scene import NEW, OLD, Scene, build


@pytest.fixture
def foreign(scene: Scene, tmp_path: Path) -> Scene:
    """An app without truegreen: no report, no commit told, an open origin, flags of its own."""
    config = parse_config({}, file=None, root=tmp_path)
    scene.question = question_for(config, config.environments["production"], commit=NEW)
    scene.question = scene.question._replace(app="raxx-api-prod")
    scene.variables["FLAG_OF_THEIRS"] = "enabled"
    scene.output = "Running migrations\n"
    answers(scene, 200)
    scene.origin = lambda headers: HttpAnswer("http://o.localhost:1/", 404, {}, b"nothing here")
    return scene


def answers(scene: Scene, status: int, body: bytes = b"nothing here") -> None:
    scene.edge = lambda nth: HttpAnswer("http://e.localhost:2/health", status, {}, body)


def status(verification: Verification, check: str) -> Status:
    return next(e.status for e in verification.situation.evidence if e.check == check)


def test_it_is_green_by_what_platform_and_edge_can_tell(foreign: Scene) -> None:
    found = foreign.verify()
    assert (found.verdict, found.findings) == (Verdict.GREEN, ())
    assert set(found.situation.required) == {
        "build.succeeded", "release.command", "release.current", "code.slug", "code.dynos",
        "health.edge",
    }  # fmt: skip
    assert status(found, "flags.config") is Status.UNKNOWN  # nobody declared any


def test_a_404_where_no_health_path_is_named_shows_nothing(foreign: Scene) -> None:
    answers(foreign, 404)
    found = foreign.verify()
    assert (found.verdict, status(found, "health.edge")) == (Verdict.UNVERIFIED, Status.UNKNOWN)


@pytest.mark.parametrize("bad", [403, 500, 503])
def test_an_app_that_answers_wrongly_is_red_all_the_same(foreign: Scene, bad: int) -> None:
    answers(foreign, bad)
    assert foreign.verify().verdict is Verdict.RED


def test_with_a_configuration_a_missing_health_path_is_red(foreign: Scene) -> None:
    foreign.change(configured=True)
    answers(foreign, 404)
    assert status(foreign.verify(), "health.edge") is Status.FAIL


def test_a_challenge_is_not_found_out(foreign: Scene) -> None:
    page = b"<title>Just a moment...</title> /cdn-cgi/challenge-platform/"
    answers(foreign, 404, page)
    foreign.edge = lambda nth: HttpAnswer(
        "http://e.localhost:2/health", 404, {"cf-mitigated": "challenge"}, page
    )
    assert foreign.verify().verdict is Verdict.UNVERIFIED


def test_a_short_commit_stands_for_the_one_build_that_begins_with_it(foreign: Scene) -> None:
    foreign.change(commit=NEW[:8])
    found = foreign.verify()
    assert (found.verdict, found.situation.commit) == (Verdict.GREEN, NEW)


def test_a_short_commit_of_two_builds_is_nobodys(foreign: Scene) -> None:
    foreign.builds = [build(3, "abcdef1" + "0" * 33), build(2, "abcdef1" + "1" * 33)]
    foreign.change(commit="abcdef1")
    assert foreign.verify().verdict is not Verdict.GREEN
    foreign.change(commit=OLD[:7])
    assert foreign.verify().verdict is not Verdict.GREEN
