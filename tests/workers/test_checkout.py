"""A worker's copy of a repository: what is fetched, what is refused, and what a kill leaves."""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from truegreen.errors import Unverified, UsageError
from truegreen.ship.environments import withhold_tokens
from truegreen.ship.source import read_source
from truegreen.workers.checkout import checkout, clear_away

NAMES = ("-c", "user.name=t", "-c", "user.email=t@example.com")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *NAMES, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(folder: Path, text: str) -> str:
    (folder / "service").mkdir(exist_ok=True)
    (folder / "service" / "app.py").write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", text)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    folder = tmp_path / "origin"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "first")
    return folder


def open_one(folder: Path, origin: Path, revision: str, prefix: str = "", name: str = "job-1"):  # type: ignore[no-untyped-def]
    return checkout(folder, str(origin), revision, prefix, "place", name)


def test_a_commit_is_there_as_a_clone_has_it(origin: Path, tmp_path: Path) -> None:
    first = git(origin, "rev-parse", "HEAD")
    second = commit(origin, "second")
    with open_one(tmp_path / "w", origin, first, "service") as root:
        assert (root / "app.py").read_text() == "first"
        source = read_source(root)
        assert (source.commit, source.prefix, source.uncommitted) == (first, "service", ())
        assert git(root, "rev-parse", "origin/main") == second
        assert git(root, "rev-parse", "origin/HEAD") == second
    assert not root.exists()
    assert list((tmp_path / "w" / "trees").iterdir()) == []


def test_what_is_kept_beside_a_service_is_there_for_the_next_job(
    origin: Path, tmp_path: Path
) -> None:
    revision = git(origin, "rev-parse", "HEAD")
    for name in ("one", "two"):
        with open_one(tmp_path / "w", origin, revision, "service", name) as root:
            kept = root / ".truegreen" / "cache"
            assert kept.exists() == (name == "two")
            kept.write_text("kept")


def test_a_commit_that_was_pushed_later_and_one_of_no_branch_are_fetched(
    origin: Path, tmp_path: Path
) -> None:
    with open_one(tmp_path / "w", origin, git(origin, "rev-parse", "HEAD")):
        pass
    git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    lone = commit(origin, "of no branch")
    git(origin, "reset", "--quiet", "--hard", "HEAD~1")
    newer = commit(origin, "newer")
    for revision in (newer, lone):
        with open_one(tmp_path / "w", origin, revision) as root:
            assert git(root, "rev-parse", "HEAD") == revision


def test_a_commit_that_nobody_pushed_is_said(origin: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="the commit ffffffff is not in") as refused,
        open_one(tmp_path / "w", origin, "f" * 40),
    ):
        pass
    assert "push" in refused.value.hint


@pytest.mark.parametrize("prefix", ["nowhere", "..", "service/app.py", "/etc"])
def test_a_folder_that_is_not_in_the_commit_is_said(
    origin: Path, tmp_path: Path, prefix: str
) -> None:
    with (
        pytest.raises(UsageError, match="is no folder of"),
        open_one(tmp_path / "w", origin, git(origin, "rev-parse", "HEAD"), prefix),
    ):
        pass


def test_a_repository_that_cannot_be_reached_is_said_with_gits_words(tmp_path: Path) -> None:
    with (
        pytest.raises(Unverified, match=r"cannot be fetched from: fatal: .*not appear"),
        open_one(tmp_path / "w", tmp_path / "nowhere", "a" * 40),
    ):
        pass


def test_an_address_that_runs_a_command_is_refused_by_the_worker_too(tmp_path: Path) -> None:
    owned = tmp_path / "owned"
    with (
        pytest.raises(UsageError),
        checkout(tmp_path / "w", f"ext::touch {owned}", "a" * 40, "", "place", "job-1"),
    ):
        pass
    assert not owned.exists()


def test_two_jobs_of_a_repository_fetch_one_after_the_other(origin: Path, tmp_path: Path) -> None:
    revision = git(origin, "rev-parse", "HEAD")

    def one(number: int) -> str:
        with open_one(tmp_path / "w", origin, revision, name=f"job-{number}") as root:
            return git(root, "rev-parse", "HEAD")

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(one, range(8))) == {revision}


def test_what_a_killed_worker_left_is_cleared_away_and_does_not_hinder(
    origin: Path, tmp_path: Path
) -> None:
    worker = tmp_path / "w"
    revision = git(origin, "rev-parse", "HEAD")
    with open_one(worker, origin, revision, name="alive") as alive:
        mirror = next((worker / "mirrors").glob("*.git"))
        for lock in ("packed-refs.lock", "refs/remotes/origin/main.lock"):  # killed in a fetch
            (mirror / lock).touch()
        left = worker / "trees" / "job-9"
        git(mirror, "worktree", "add", "--quiet", "--detach", str(left), revision)
        left.with_suffix(".lock").touch()
        clear_away(worker)
        assert not left.exists()
        assert not left.with_suffix(".lock").exists()
        assert (alive / "service" / "app.py").exists()
        assert "job-9" not in git(mirror, "worktree", "list")
        newer = commit(origin, "newer")
        with open_one(worker, origin, newer, name="next") as root:
            assert (root / "service" / "app.py").read_text() == "newer"


def test_a_mirror_that_was_killed_while_it_was_made_is_made_again(
    origin: Path, tmp_path: Path
) -> None:
    revision = git(origin, "rev-parse", "HEAD")
    with open_one(tmp_path / "w", origin, revision):
        mirror = next((tmp_path / "w" / "mirrors").glob("*.git"))
    (mirror / "HEAD").unlink()
    mirror.with_suffix(".new").mkdir()
    with open_one(tmp_path / "w", origin, revision) as root:
        assert git(root, "rev-parse", "HEAD") == revision


@pytest.mark.parametrize("kind", ["link", "folder", "file"])
def test_what_a_repository_has_committed_under_our_name_is_not_written_into(
    origin: Path, tmp_path: Path, kind: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ours = origin / ".truegreen"
    if kind == "link":
        ours.symlink_to(elsewhere)
    elif kind == "folder":
        ours.mkdir()
        (ours / "ledger.sqlite3").write_text("theirs")
    else:
        ours.write_text("theirs")
    revision = commit(origin, "with it")
    with open_one(tmp_path / "w", origin, revision) as root:
        assert list((root / ".truegreen").iterdir()) == []
        (root / ".truegreen" / "kept").touch()
    assert list(elsewhere.iterdir()) == []


def test_git_gets_githubs_token_for_its_credential_helper_and_no_other(
    origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_TOKEN", "TRUEGREEN_API_TOKEN"):
        monkeypatch.setenv(name, f"value-of-{name}")
    spy = tmp_path / "bin" / "git"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\nenv >> {tmp_path}/seen\nexec {shutil.which("git")} "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{spy.parent}:{os.environ['PATH']}")
    withhold_tokens()
    with open_one(tmp_path / "w", origin, git(origin, "rev-parse", "HEAD")):
        seen = (tmp_path / "seen").read_text()
    assert "GITHUB_TOKEN=value-of-GITHUB_TOKEN" in seen
    assert "TRUEGREEN_API_TOKEN" not in seen
