"""Reads a repository for a plan: its git remotes, and what stands where a plan would write."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from truegreen.doctor.tree import Tree
from truegreen.errors import UsageError
from truegreen.git_environment import git_environment
from truegreen.init.detect import detect
from truegreen.init.facts import Facts

_TIMEOUT = 30.0  # seconds for one git command
_LARGEST = 1024 * 1024  # bytes of a file that is edited or compared


@dataclass(frozen=True, slots=True)
class Repository:
    """``top``: where paths of a plan begin."""

    top: Path
    facts: Facts
    gaps: tuple[str, ...]  # what of the service could not be looked into


def read_repository(folder: Path) -> Repository:
    """The repository of the service in ``folder``. UsageError outside of git, or without git."""
    folder = folder.resolve()
    top = Path(_git(folder, "rev-parse", "--show-toplevel")).resolve()
    remotes = {}
    for line in _git(folder, "remote").splitlines():
        remotes[line] = _git(folder, "remote", "get-url", line)
    prefix = folder.relative_to(top).as_posix().removeprefix(".")
    if any(not char.isprintable() for char in prefix):
        raise UsageError("the folder's name has control characters", hint="rename it")
    tree = Tree.of(folder)
    facts = detect(tree, _app_name(folder.name), prefix=prefix, remotes=remotes)
    return Repository(top, facts, tuple(f"{gap.path} {gap.why}" for gap in tree.gaps))


def read_existing(top: Path, paths: Iterable[str]) -> dict[str, bytes | str | None]:
    """What stands at each path: None for nothing, its bytes, or why it is not to be touched."""
    return {path: _existing(top, path) for path in paths}


def _existing(top: Path, path: str) -> bytes | str | None:
    full = top / path
    for parent in full.relative_to(top).parents:
        where = top / parent
        if where.is_symlink():
            return f"{parent} is a symbolic link: what it leads to is not touched"
        if where.exists() and not where.is_dir():
            return f"{parent} is not a folder"
    try:
        if full.is_symlink():
            return "is a symbolic link: what it leads to is not touched"
        if not full.exists():
            return None
        if not full.is_file():
            return "is not a file"
        if full.stat().st_size > _LARGEST:
            return "is larger than 1 MiB"
        return full.read_bytes()
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _app_name(name: str) -> str:
    """A name that an app may have: 3 to 30 of a-z, 0-9 and -, beginning with a letter."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not slug or not slug[0].isalpha():
        slug = f"app-{slug}".rstrip("-")
    slug = slug[:30].rstrip("-")
    return slug if len(slug) >= 3 else f"{slug}-app"


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=git_environment(),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except FileNotFoundError as error:
        raise UsageError("git is not installed", hint="install git") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"git {arguments[0]} took over {_TIMEOUT:.0f} s") from error
    if done.returncode:
        raise UsageError(
            f"git {arguments[0]}: {done.stderr.strip()}",
            hint="git init, add and commit: what is shipped is a commit",
        )
    return done.stdout.strip()
