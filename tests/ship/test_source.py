"""What is shipped is what is committed; what cannot be shipped is said before anything happens."""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from truegreen.errors import UsageError
from truegreen.ship.source import full_commit, read_source, write_archive


def git(folder: Path, *arguments: str) -> str:
    env = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "t",
        "GIT_AUTHOR_EMAIL": "t@example.com",
        "GIT_COMMITTER_NAME": "t",
        "GIT_COMMITTER_EMAIL": "t@example.com",
    }
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    service = root / "services" / "api"
    service.mkdir(parents=True)
    git(root, "init", "-q")
    (service / "app.py").write_text("print(1)\n")
    (root / "other.txt").write_text("not of the service\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return root


def test_a_subfolder_is_shipped_alone_at_the_commit_of_the_repository(
    repository: Path, tmp_path: Path
) -> None:
    source = read_source(repository / "services" / "api")
    assert source.commit == git(repository, "rev-parse", "HEAD")
    assert source.prefix == "services/api"
    write_archive(source, tmp_path / "a.tar.gz")
    with tarfile.open(tmp_path / "a.tar.gz") as archive:
        assert archive.getnames() == ["app.py"]


def test_what_is_not_committed_is_left_out_and_listed(repository: Path, tmp_path: Path) -> None:
    service = repository / "services" / "api"
    (service / "app.py").write_text("print(2)\n")
    (service / "new file.py").write_text("new\n")
    (repository / "other.txt").write_text("outside of the service: not listed\n")
    source = read_source(service)
    assert sorted(source.uncommitted) == ["services/api/app.py", "services/api/new file.py"]
    write_archive(source, tmp_path / "a.tar.gz")
    with tarfile.open(tmp_path / "a.tar.gz") as archive:
        member = archive.extractfile("app.py")
        assert member is not None
        assert member.read() == b"print(1)\n"


def test_a_renamed_file_is_listed_once(repository: Path) -> None:
    git(repository, "mv", "services/api/app.py", "services/api/main.py")
    assert read_source(repository / "services" / "api").uncommitted == ("services/api/main.py",)


def test_a_folder_outside_of_git_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not in a git repository"):
        read_source(tmp_path)


def test_a_repository_without_a_commit_is_refused(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(UsageError, match="no commit yet"):
        read_source(tmp_path)


def test_a_folder_that_was_never_committed_is_refused(repository: Path) -> None:
    (repository / "fresh").mkdir()
    (repository / "fresh" / "a.py").write_text("x\n")
    with pytest.raises(UsageError, match="not in the commit"):
        read_source(repository / "fresh")


def test_short_commits_become_full_and_foreign_ones_stay(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    assert full_commit(repository, commit[:8]) == commit
    assert full_commit(repository, "f" * 40) == "f" * 40
