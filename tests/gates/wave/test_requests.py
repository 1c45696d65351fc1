"""Pull requests and authors, as the forges and people write them into messages."""

from __future__ import annotations

import pytest

from truegreen.gates.wave.requests import co_authors, each_once, one_line, pull_requests
from truegreen.gates.wave.wave import Commit


def found(subject: str, body: str = "") -> list[tuple[int, str]]:
    commit = Commit("a" * 40, subject, ("Ann",), "2026-01-01T00:00:00Z")
    return [(one.number, one.title) for one in pull_requests(commit, body)]


@pytest.mark.parametrize(
    ("subject", "body", "expected"),
    [
        ("Merge pull request #3682 from o/b", "\nAdd the walk\n\nmore", [(3682, "Add the walk")]),
        ("Merge pull request #3682 from o/b", "", [(3682, "Merge pull request #3682 from o/b")]),
        ("Add the walk (#3455)", "", [(3455, "Add the walk")]),
        ('Revert "Add the walk (#3455)" (#3460)', "", [(3460, 'Revert "Add the walk (#3455)"')]),
        ("Add the walk (!12)", "", [(12, "Add the walk")]),
        (
            "Merge branch 'walk' into 'main'",
            "\nAdd the walk\n\nSee merge request group/sub/project!77",
            [(77, "Add the walk")],
        ),
        ("Merged in walk (pull request #9)", "\nAdd the walk", [(9, "Add the walk")]),
        ("Merged PR 15: Add the walk", "", [(15, "Add the walk")]),
        ("Merge #4 #5", "", [(4, "Merge #4 #5"), (5, "Merge #4 #5")]),
        ("Fix what #12 broke", "", []),
        ("Close (#12) at last", "", []),
        ("(#12)", "", []),
        ("Version 2 (#x)", "", []),
        ("Big (#1234567890)", "", []),
        ("See below", "As in merge request !12 we said", []),
    ],
)
def test_the_forms_that_forges_write_are_known_and_no_others(
    subject: str, body: str, expected: list[tuple[int, str]]
) -> None:
    assert found(subject, body) == expected


def test_a_number_counts_once() -> None:
    commit = Commit("a" * 40, "Add it (#1)", ("Ann",), "")
    assert len(each_once([*pull_requests(commit, ""), *pull_requests(commit, "")])) == 1


def test_co_authors_are_named_without_their_addresses() -> None:
    body = "text\n\nCo-authored-by: Bo B <bo@example.com>\nco-authored-by:Cy<c@example.com>\n"
    assert co_authors(body + "Co-authored-by: nobody\nSee Co-authored-by: X <x@y>\n") == (
        "Bo B",
        "Cy",
    )


def test_a_line_is_one_line_and_ends() -> None:
    assert one_line("a\n\tb\x1b[0m") == "a b [0m"
    assert len(one_line("x" * 10_000)) == 200
