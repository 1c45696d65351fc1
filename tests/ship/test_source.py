"""What is shipped is what is committed; what cannot be shipped is said before anything happens."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from truegreen.config.load import parse_config
from truegreen.errors import UsageError
from truegreen.secret import lent, variable
from truegreen.ship.ancestry import Kinship, kinship
from truegreen.ship.environments import withhold_secrets
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


# what a clone, a hook or a name can do to what git says


def commit_of(folder: Path, text: str) -> str:
    (folder / "services" / "api" / "app.py").write_text(text)
    git(folder, "commit", "-qam", text)
    return git(folder, "rev-parse", "HEAD")


def test_a_commit_is_shipped_with_its_own_content_whatever_this_clone_replaces_it_with(
    repository: Path, tmp_path: Path
) -> None:
    first = git(repository, "rev-parse", "HEAD")
    second = commit_of(repository, "print(2)\n")
    git(repository, "replace", second, first)
    source = read_source(repository)
    assert source.commit == second
    write_archive(source, tmp_path / "a.tar.gz")
    with tarfile.open(tmp_path / "a.tar.gz") as archive:
        member = archive.extractfile("services/api/app.py")
        assert member is not None
        assert member.read() == b"print(2)\n"


def test_files_are_shipped_as_they_were_committed_whatever_git_is_set_to_here(
    repository: Path, tmp_path: Path
) -> None:
    attributes = tmp_path / "attributes"
    attributes.write_text("*.py text eol=crlf\nother.txt export-ignore\n")
    source = read_source(repository)

    def shipped() -> list[tuple[str, int, bytes]]:
        write_archive(source, tmp_path / "a.tar.gz")
        with tarfile.open(tmp_path / "a.tar.gz") as archive:
            files = [(one, archive.extractfile(one)) for one in archive.getmembers()]
            return [(one.name, one.mode, read.read()) for one, read in files if read is not None]

    before = shipped()
    assert [(name, data) for name, _, data in before] == [
        ("other.txt", b"not of the service\n"),
        ("services/api/app.py", b"print(1)\n"),
    ]
    for name, value in (
        ("core.autocrlf", "true"),
        ("core.eol", "crlf"),
        ("core.attributesFile", str(attributes)),
        ("tar.umask", "0"),
    ):
        git(repository, "config", name, value)
    assert shipped() == before


@pytest.mark.parametrize("kind", ["graft", "replacement"])
def test_no_graft_makes_a_rewind_a_step_forwards(repository: Path, kind: str) -> None:
    first = git(repository, "rev-parse", "HEAD")
    serving = commit_of(repository, "print(2)\n")
    git(repository, "checkout", "-q", "-b", "aside", first)
    ours = commit_of(repository, "print(3)\n")
    if kind == "graft":
        (repository / ".git" / "info" / "grafts").write_text(f"{ours} {serving}\n")
    else:
        git(repository, "replace", "--graft", ours, serving)
    assert kinship(repository, serving, ours) is Kinship.REWIND


def test_a_hook_of_another_repository_does_not_decide_what_is_shipped(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    (other / "a.txt").write_text("a\n")
    git(other, "add", "-A")
    git(other, "commit", "-qm", "other")
    commit = git(repository, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    source = read_source(repository)
    assert (source.repository, source.commit) == (repository, commit)


def test_a_path_of_any_bytes_is_listed_on_one_line(repository: Path) -> None:
    folder = os.fsencode(repository / "services" / "api")
    for name in (b"\xff.py", b"a\n::error::b.py"):
        with open(folder + b"/" + name, "wb") as file:  # noqa: PTH123 - bytes
            file.write(b"x")
    assert sorted(read_source(repository).uncommitted) == [
        "services/api/ .py",
        "services/api/a ::error::b.py",
    ]


def test_no_token_reaches_git(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = ("GITHUB_TOKEN", "CI_READS", "HEROKU_API_KEY", "TRUEGREEN_API_TOKEN", "VAULT_TOKEN")
    for name in tokens:
        monkeypatch.setenv(name, "not-for-git")
    spy = tmp_path / "bin" / "git"
    spy.parent.mkdir()
    real = shutil.which("git")
    spy.write_text(f'#!/bin/sh\nenv >> {tmp_path}/seen\nexec {real} "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{spy.parent}:{os.environ['PATH']}")
    data = {"service": {"name": "shop"}, "ci": {"repository": "o/r", "token": "env:CI_READS"}}
    config = parse_config(data, file=None, root=repository)
    withhold_secrets(config)
    read_source(repository)
    assert "GIT_NO_REPLACE_OBJECTS=1" in (tmp_path / "seen").read_text()
    assert "not-for-git" not in (tmp_path / "seen").read_text()
    assert variable("GITHUB_TOKEN") == "not-for-git"  # who asks GitHub still has it
    assert lent("GITHUB_TOKEN")["GITHUB_TOKEN"] == "not-for-git"  # and a suite that names it
