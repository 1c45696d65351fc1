"""Failures with one cause are one cluster; different ones stay apart."""

from __future__ import annotations

from truegreen.model import clusters
from truegreen.release.report import Failure


def test_answers_that_name_their_error_are_one_cluster_whatever_was_expected() -> None:
    blocked = '{"error": "direct_origin_blocked"}'
    found = clusters(
        [
            Failure("t::a", "assert 403 == 404", blocked),
            Failure("t::b", "assert 403 == 401", blocked),
            Failure("t::c", "assert 403 == 401", "direct_origin_blocked"),
        ]
    )
    assert [(one.signature, len(one.tests)) for one in found] == [("403 direct_origin_blocked", 3)]


def test_what_changes_from_run_to_run_does_not_split_a_cluster() -> None:
    one = "RuntimeError: <Thing at 0x7f3a> in /tmp/a/b/c took 123456.7 of 0a1b2c3d4e5f60718293"
    two = "RuntimeError: <Thing at 0x9b21> in /var/x/y/z took 998877.1 of ffeeddccbbaa99887766"
    found = clusters([Failure("t::a", one), Failure("t::b", two)])
    assert [one.tests for one in found] == [("t::a", "t::b")]


def test_different_failures_stay_apart_and_the_largest_comes_first() -> None:
    found = clusters(
        [
            Failure("t::a", "assert 500 == 404"),
            Failure("t::b", "assert 403 == 404"),
            Failure("t::c", "assert 403 == 404"),
        ]
    )
    assert [one.signature for one in found] == ["assert 403 == 404", "assert 500 == 404"]
    assert found[0].tests == ("t::b", "t::c")


def test_no_failures_and_empty_messages_are_borne() -> None:
    assert clusters([]) == ()
    assert clusters([Failure("t::a", "")])[0].signature == ""
