"""Only forwards: what a commit may be shipped over, decided on values and on real repositories."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from truegreen.errors import Refused
from truegreen.heroku.models import Build, Release
from truegreen.ship.ancestry import Kinship, kinship
from truegreen.ship.monotonic import check_baseline, check_forward, rivals

NOW = datetime(2026, 6, 21, 19, 32, tzinfo=UTC)
OLD, NEW = "a" * 40, "b" * 40


def release(version: int, status: str, slug: str | None, *, current: bool = False, age: int = 60)\
        -> Release:  # fmt: skip
    return Release(
        id=f"r{version}", version=version, status=status, current=current, slug_id=slug,
        output_stream_url=None, description="", created_at=NOW - timedelta(seconds=age),
        user_email="ann@example.com", eligible_for_rollback=True, raw_digest="",
    )  # fmt: skip


def build(status: str, commit: str, age: int = 60) -> Build:
    return Build(
        id="b1", status=status, release_id=None, slug_id=None, output_stream_url=None,
        source_version=commit, created_at=NOW - timedelta(seconds=age), user_email=None,
        raw_digest="",
    )  # fmt: skip


def of(kinship: Kinship) -> object:
    return lambda serving, ours: Kinship.SAME if serving == ours else kinship


SERVES = rivals([release(3, "succeeded", "s", current=True)], [], {"s": OLD}, NOW)


@pytest.mark.parametrize(
    ("kin", "says"),
    [
        (Kinship.REWIND, "bbbbbbbb does not contain the code that serves: v3"),
        (Kinship.SHALLOW, "git fetch --unshallow"),
        (Kinship.UNKNOWN, "git fetch --all"),
    ],
)
def test_anything_but_a_descendant_is_refused_with_the_fix(kin: Kinship, says: str) -> None:
    with pytest.raises(Refused) as refused:
        check_forward(NEW, SERVES, of(kin))  # type: ignore[arg-type]
    assert says in str(refused.value)
    assert refused.value.exit_code == 4
    notes = check_forward(NEW, SERVES, of(kin), allowed="v3 is broken")  # type: ignore[arg-type]
    assert "rewind allowed (v3 is broken)" in notes[0]


def test_a_descendant_and_the_same_commit_pass_without_a_note() -> None:
    assert check_forward(NEW, SERVES, of(Kinship.DESCENDANT)) == ()  # type: ignore[arg-type]
    assert check_forward(OLD, SERVES, of(Kinship.REWIND)) == ()  # type: ignore[arg-type]


def test_a_slug_without_a_commit_is_no_proof() -> None:
    unknown = rivals([release(3, "succeeded", "s", current=True)], [], {"s": None}, NOW)
    with pytest.raises(Refused, match="whose commit the platform does not know"):
        check_forward(NEW, unknown, of(Kinship.DESCENDANT))  # type: ignore[arg-type]


def test_an_app_that_serves_no_code_takes_any() -> None:
    assert rivals([release(1, "succeeded", None, current=True)], [], {}, NOW) == ()


@pytest.mark.parametrize(
    ("releases", "builds"),
    [
        ([release(4, "pending", "t"), release(3, "succeeded", "s", current=True)], []),
        ([release(3, "succeeded", "s", current=True)], [build("pending", NEW)]),
    ],
)
def test_an_older_job_does_not_overtake_a_newer_one_that_is_on_its_way(
    releases: list[Release], builds: list[Build]
) -> None:
    found = rivals(releases, builds, {"s": OLD, "t": NEW}, NOW)
    for reason in ("", "because"):  # no reason allows to run into another's deploy
        with pytest.raises(Refused, match="somebody else ships at this moment"):
            check_forward("c" * 40, found, of(Kinship.DESCENDANT), allowed=reason)  # type: ignore[arg-type]
    assert check_forward(NEW, found, of(Kinship.DESCENDANT)) == ()  # type: ignore[arg-type]


def test_what_is_pending_for_ever_or_was_overtaken_blocks_nobody() -> None:
    releases = [
        release(4, "pending", "t", age=3601),
        release(3, "succeeded", "s", current=True),
        release(2, "pending", "t"),
    ]
    found = rivals(releases, [build("pending", NEW, age=3601)], {"s": OLD, "t": NEW}, NOW)
    assert [one.what for one in found] == ["v3 (ann@example.com) serves"]


def test_a_deploy_since_the_baseline_is_refused_with_its_version_and_its_maker() -> None:
    with pytest.raises(Refused, match=r"v3 served, now v4 \(aaaaaaaa\) by ann@example.com"):
        check_baseline(NEW, (3, "s"), (4, "t", OLD), user="ann@example.com")
    with pytest.raises(Refused, match="nothing served, now v4"):
        check_baseline(NEW, (1, None), (4, "t", OLD))


def test_a_config_change_and_our_own_release_are_nobody_elses_deploy() -> None:
    check_baseline(NEW, (3, "s"), (3, "s", OLD))
    check_baseline(NEW, (3, "s"), (4, "s", OLD))
    check_baseline(NEW, (3, "s"), (4, "t", NEW))
    check_baseline(NEW, (1, None), (2, None, None))


# git


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path, message: str) -> str:
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def test_kinship_in_whole_and_shallow_repositories(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    git(whole, "init", "--quiet", "--initial-branch=main")
    first, second, third = (commit(whole, name) for name in ("1", "2", "3"))
    git(whole, "checkout", "--quiet", "-b", "aside", first)
    aside = commit(whole, "aside")
    git(whole, "checkout", "--quiet", "main")
    assert kinship(whole, second, third) is Kinship.DESCENDANT
    assert kinship(whole, third, third) is Kinship.SAME
    assert kinship(whole, third, second) is Kinship.REWIND
    assert kinship(whole, aside, third) is Kinship.REWIND
    assert kinship(whole, "d" * 40, third) is Kinship.UNKNOWN
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "2", whole.as_uri(), str(shallow))
    assert kinship(shallow, second, third) is Kinship.DESCENDANT
    assert kinship(shallow, first, third) is Kinship.SHALLOW
    assert kinship(shallow, third, second) is Kinship.SHALLOW
    git(shallow, "fetch", "--quiet", "--unshallow")
    assert kinship(shallow, first, third) is Kinship.DESCENDANT
