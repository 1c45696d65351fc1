"""Which release a question is about: never the newest, always the one that was meant."""

from __future__ import annotations

from truegreen.verify.choose import choose_build, choose_release, current_release

from .scene import NEW, OLD, build, release

BUILDS = [build(3, NEW), build(2, OLD)]


def test_a_config_change_after_the_deploy_is_the_release_that_counts() -> None:
    releases = [release(4, 3, current=True), release(3, 3), release(2, 2)]
    chosen = choose_release(releases, BUILDS, commit=NEW, version=None)
    assert chosen is not None
    assert chosen.version == 4


def test_the_newest_release_is_not_taken_for_the_release_of_the_commit() -> None:
    releases = [release(4, 2, current=True), release(3, 3), release(2, 2)]
    chosen = choose_release(releases, BUILDS, commit=NEW, version=None)
    assert chosen is not None
    assert chosen.version == 3


def test_a_commit_that_was_never_released_has_no_release() -> None:
    assert choose_release([release(2, 2)], BUILDS, commit="c" * 40, version=None) is None
    assert choose_build(BUILDS, commit="c" * 40, release=None) is None


def test_a_version_is_taken_at_its_word() -> None:
    releases = [release(4, 2, current=True), release(3, 3)]
    chosen = choose_release(releases, [], commit=NEW, version=4)
    assert chosen is releases[0]
    assert choose_release(releases, [], commit=None, version=9) is None


def test_without_a_wish_the_current_one_is_meant() -> None:
    releases = [release(4, 3, status="failed"), release(3, 2, current=True)]
    chosen = choose_release(releases, BUILDS, commit=None, version=None)
    assert chosen is releases[1]
    assert current_release([release(1, None)]) is None
