"""``ship --enqueue``, ``--follow`` and ``--withdraw``: what is refused before anything is asked."""

from __future__ import annotations

import pytest

from truegreen.cli.ship_queue import check_together
from truegreen.errors import UsageError


@pytest.mark.parametrize(
    ("queued", "no_follow", "number", "repository", "said"),
    [
        (True, False, 7, None, "--follow goes on with a job"),
        (False, True, 7, None, "--follow goes on with a job"),
        (False, True, None, None, "--no-follow belongs to --enqueue"),
        (False, False, None, "https://git.example.com/x", "--repository belongs to --enqueue"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    queued: bool, no_follow: bool, number: int | None, repository: str | None, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        check_together(queued, no_follow, number, repository)


def test_a_job_is_withdrawn_or_followed_or_made() -> None:
    for queued, no_follow, number in ((True, False, None), (False, False, 7), (False, True, None)):
        with pytest.raises(UsageError, match="--withdraw ends a job"):
            check_together(queued, no_follow, number, None, 17)
    check_together(False, False, None, None, 17)
    check_together(False, False, None, None, 17, stop=True)


def test_what_is_stopped_is_withdrawn() -> None:
    with pytest.raises(UsageError, match="--stop belongs to --withdraw"):
        check_together(False, False, 7, None, stop=True)


def test_options_that_go_together_are_not() -> None:
    check_together(False, False, None, None)
    check_together(True, True, None, "https://git.example.com/x")
    check_together(False, False, 7, None)
