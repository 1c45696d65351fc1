"""What is shipped: a folder of a git repository at its HEAD commit, read through git only.

What is in the working tree and not committed is left out, and listed.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from truegreen.errors import UsageError, printable
from truegreen.git_environment import git_environment

_TIMEOUT = 60.0  # seconds for one git command
# git-archive(1) writes files as a checkout would: without these, with the line ends, attributes and
# modes that whoever ships has set for himself. What .gitattributes says is committed, and holds.
_WHOEVER_SHIPS = (
    *("-c", "core.autocrlf=false"),
    *("-c", "core.eol=lf"),
    *("-c", f"core.attributesFile={os.devnull}"),
    *("-c", "tar.umask=0002"),
)


class Source(NamedTuple):
    """A service's folder at a commit. ``prefix`` is its path inside the repository ("" for all)."""

    repository: Path
    prefix: str
    commit: str
    uncommitted: tuple[str, ...]  # paths below the folder that differ from the commit, to be shown
    committed_at: str = ""  # RFC 3339, as the committer's clock had it

    @property
    def tree(self) -> str:
        """The tree-ish that is shipped, e.g. ``1234…:examples/raptor``."""
        return f"{self.commit}:{self.prefix}" if self.prefix else self.commit


def read_source(folder: Path) -> Source:
    """The source of the service in ``folder``. UsageError when it cannot be shipped from git."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", hint="name the service's root")
    try:
        top = Path(_git(folder, "rev-parse", "--show-toplevel"))
    except UsageError as error:
        raise UsageError(
            f"{folder} is not in a git repository",
            hint="git init, add and commit: what is shipped is a commit",
        ) from error
    try:
        commit = _git(folder, "rev-parse", "--verify", "HEAD^{commit}")
    except UsageError as error:
        raise UsageError(f"{top} has no commit yet", hint="git add and git commit first") from error
    prefix = _git(folder, "rev-parse", "--show-prefix").rstrip("/")
    if prefix and not _exists(folder, f"{commit}:{prefix}"):
        raise UsageError(
            f"{prefix} is not in the commit {commit[:8]}", hint="git add it and commit"
        )
    status = _git(
        folder, "status", "--porcelain=v1", "-z", "--untracked-files=normal", "--",
        ".", ":(exclude,glob)**/.truegreen/**",
    )  # fmt: skip
    made = _git(folder, "show", "--no-patch", "--format=%cI", commit)
    return Source(top, prefix, commit, _paths(status), made)


def full_commit(folder: Path, name: str) -> str:
    """The full id of the commit that ``name`` (short id, branch, tag) stands for.

    A name that git does not know here, or no git at all, is taken as it is: the commit may have
    been shipped from elsewhere.
    """
    try:
        return _git(folder, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    except UsageError:
        return name


def write_archive(source: Source, target: Path) -> None:
    """Writes the source as a gzipped tarball to ``target``, with nothing but committed files."""
    archive = ("archive", "--format=tar.gz", f"--output={target}", source.tree)
    _run(["git", *_WHOEVER_SHIPS, *archive], source.repository)


def git_answer(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit status and output of a git command that may say no. UsageError without git."""
    done = _start(["git", *arguments], folder)
    return done.returncode, done.stdout.strip()


def _exists(folder: Path, tree: str) -> bool:
    try:
        _git(folder, "cat-file", "-e", tree)
    except UsageError:
        return False
    return True


def _paths(porcelain: str) -> tuple[str, ...]:
    found: list[str] = []
    entries = iter(porcelain.split("\0"))
    for entry in entries:
        if len(entry) > 3:
            found.append(printable(entry[3:]))
            if entry[0] in "RC":
                next(entries, None)  # the name that it had before
    return tuple(found)


def _git(folder: Path, *arguments: str) -> str:
    return _run(["git", *arguments], folder).rstrip("\n")


def _run(command: list[str], folder: Path) -> str:
    done = _start(command, folder)
    if done.returncode:
        raise UsageError(f"{' '.join(command[:2])}: {done.stderr.strip()}")
    return done.stdout


def _start(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=git_environment(fetch=True),
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",  # a path may hold any bytes
            timeout=_TIMEOUT,
            check=False,
        )
    except FileNotFoundError as error:
        raise UsageError("git is not installed", hint="install git") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"{' '.join(command[:2])} took over {_TIMEOUT:.0f} s") from error
