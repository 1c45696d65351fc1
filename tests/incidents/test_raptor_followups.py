"""Raptor's three follow-ups of 2026-06-21: each proof is red in that day's state and holds now."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from truegreen.config import load_config
from truegreen.incidents.actions.checkout import git
from truegreen.incidents.actions.desk import open_desk
from truegreen.incidents.actions.proof import Held
from truegreen.ship.stage import commit

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
FOLLOW_UPS = ("pin-guard-flag", "ask-for-the-release", "say-what-default-off-means")


@pytest.fixture
def raptor(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """As in the checkout, in a repository of one commit: the proofs ask nothing of its history."""
    checkout, top = request.config.rootpath, tmp_path / "repository"
    left_out = shutil.ignore_patterns(".truegreen", "__pycache__", ".pytest_cache", "*.sqlite3")
    root = top / "examples" / "raptor"
    shutil.copytree(checkout / "examples" / "raptor", root, ignore=left_out)
    shutil.copytree(checkout / ".github", top / ".github")
    git(top, "init", "--quiet")
    commit(top, "raptor")
    return root


@pytest.mark.parametrize("name", FOLLOW_UPS)
def test_its_proof_was_red_that_day_and_holds_now(raptor: Path, name: str) -> None:
    with open_desk(load_config(raptor)) as desk:
        one = desk.find(name)
        assert (one.closed, one.problem) == (True, "")
        (checked,) = desk.check([one], red_again=True)
    proven = checked.proven
    assert proven is not None
    assert proven.red is not None
    assert (proven.red.held, proven.red.state) == (Held.RED, "docs/incidents/that-day")
    assert proven.held is Held.HOLDS, proven.why
    assert one.followup.proof.red is not None
    assert one.followup.proof.red.proof == proven.proof  # what was recorded is what was run


def test_there_is_no_other_follow_up(raptor: Path) -> None:
    with open_desk(load_config(raptor)) as desk:
        names = {one.followup.action.id for one in desk.standings()}
    assert names == set(FOLLOW_UPS)
