"""Which histories let an action count as closed, one case each."""

from __future__ import annotations

import pytest

from truegreen.incidents.actions.frozen import problem
from truegreen.incidents.actions.trusted import Version

OPEN, SHUT = Version("aaaaaaaa1", True, False, "p"), Version("bbbbbbbb2", True, True, "p")
LAX = Version("cccccccc3", True, True, "q")
ABSENT = Version("dddddddd4", False, False, "")
BARE = Version("eeeeeeee5", True, False, "")


@pytest.mark.parametrize(
    ("versions", "trusted", "now", "wrong", "sure"),
    [
        ((SHUT, OPEN), None, "p", "", True),
        ((SHUT, SHUT, OPEN), None, "p", "", True),
        ((SHUT, OPEN), OPEN, "p", "", True),
        ((SHUT,), None, "p", "", True),  # the repository's first commit: nothing before it
        ((), None, "p", "", True),
        (None, None, "p", "the history is cut off before the commit that closed it", False),
        ((LAX, OPEN), None, "q", "commit cccccccc changes its proof and closes it in one", True),
        ((SHUT, ABSENT), None, "p", "commit bbbbbbbb brings its proof and closes it in one", True),
        ((SHUT, BARE), None, "p", "commit bbbbbbbb brings its proof and closes it in one", True),
        ((SHUT, OPEN), OPEN, "q", "its proof is changed in the change that closes it", True),
        ((SHUT, OPEN), ABSENT, "p", "it is closed in the change that brings its proof", True),
        ((SHUT, OPEN), BARE, "p", "it is closed in the change that brings its proof", True),
        ((SHUT, OPEN), SHUT, "q", "the proof of a closed action is changed", True),
        (None, SHUT, "p", "the history is cut off before the commit that closed it", False),
    ],
)
def test_a_history_lets_it_be_closed_or_says_why_not(
    versions: tuple[Version, ...] | None, trusted: Version | None, now: str, wrong: str, sure: bool
) -> None:
    assert problem(versions, trusted=trusted, now=now) == (wrong, sure)
