"""A worker's own copy of a repository, and a folder of it at one commit for one job.

Mirrors are shared by the workers of a machine; a lock each keeps them from fetching at once. What a
killed worker left lying about is cleared away by the next. Everything is read through git.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from truegreen.errors import Unverified, UsageError
from truegreen.git_environment import git_environment
from truegreen.secret import variable
from truegreen.ship.environments import GITHUB_TOKEN
from truegreen.state.location import FOLDER
from truegreen.workers.repository import PROTOCOLS, shareable

_FETCH = 900.0  # seconds
_QUICK = 120.0
_HEADS = "+refs/heads/*:refs/remotes/origin/*"  # as a clone has them: gates ask for origin/main
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": PROTOCOLS,
}


@contextmanager
def checkout(
    folder: Path, repository: str, commit: str, prefix: str, state: str, name: str
) -> Iterator[Path]:
    """The service in ``prefix`` of ``repository`` at ``commit``, while the block runs.

    ``folder`` is the worker's; ``name`` is unique to the job's attempt. Its ``.truegreen`` is a
    folder that the jobs of ``state`` (any text, one an app) have in common, so that caches stay.
    Raises Unverified when the repository cannot be reached, UsageError when the commit or the
    folder is not in it.
    """
    address = shareable(repository)
    mirror = folder / "mirrors" / f"{_digest(address)}.git"
    tree = folder / "trees" / name
    for parent in (mirror.parent, tree.parent):
        parent.mkdir(parents=True, exist_ok=True)
    with _locked(tree.with_suffix(".lock")):
        with _locked(mirror.with_suffix(".lock")):
            _fetch(mirror, address, commit)
            shutil.rmtree(tree, ignore_errors=True)
            _git(mirror, "worktree", "add", "--quiet", "--force", "--detach", str(tree), commit)
        try:
            yield _service(tree, prefix, address, commit, folder / "state" / _digest(state))
        finally:
            shutil.rmtree(tree, ignore_errors=True)
    tree.with_suffix(".lock").unlink(missing_ok=True)


def clear_away(folder: Path) -> None:
    """Removes the trees that no job works in any more, and what mirrors know of them."""
    for lock in (folder / "trees").glob("*.lock"):
        with lock.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink(missing_ok=True)
    for mirror in (folder / "mirrors").glob("*.git"):
        with _locked(mirror.with_suffix(".lock")):
            _start(["git", "worktree", "prune"], mirror, _QUICK)


def _service(tree: Path, prefix: str, address: str, commit: str, state: Path) -> Path:
    root = (tree / prefix).resolve() if prefix else tree.resolve()
    if not root.is_dir() or not root.is_relative_to(tree.resolve()):
        raise UsageError(f"{prefix} is no folder of {commit[:8]} in {address}")
    state.mkdir(parents=True, exist_ok=True)
    beside = root / FOLDER
    if beside.is_symlink() or beside.is_file():  # committed: it may lead anywhere
        beside.unlink()
    shutil.rmtree(beside, ignore_errors=True)
    beside.symlink_to(state, target_is_directory=True)
    return root


def _fetch(mirror: Path, address: str, commit: str) -> None:
    """Brings the mirror up to date; it then has ``commit``. Under the mirror's lock."""
    if not (mirror / "HEAD").is_file():
        fresh = mirror.with_suffix(".new")
        for half_made in (mirror, fresh):
            shutil.rmtree(half_made, ignore_errors=True)
        fresh.mkdir()
        _git(fresh, "init", "--quiet", "--bare", ".")
        (fresh / "info").mkdir(exist_ok=True)
        (fresh / "info" / "exclude").write_text(f"{FOLDER}\n", encoding="ascii")
        _git(fresh, "config", "remote.origin.url", address)
        _git(fresh, "config", "gc.auto", "0")
        fresh.rename(mirror)
    # The lock is ours: a lock file of git's is of somebody who was killed.
    for left in (*mirror.glob("*.lock"), *(mirror / "refs").rglob("*.lock")):
        left.unlink(missing_ok=True)
    fetch = ["git", "fetch", "--quiet", "--prune", "--tags", "--force", "origin", _HEADS]
    done = _start(fetch, mirror, _FETCH)
    if done.returncode:
        raise Unverified(
            f"{address} cannot be fetched from: {_last(done.stderr)}",
            hint="the worker's own git must have access to it; then enqueue the job again",
        )
    if not _there(mirror, commit):  # of no branch: servers may give it by its name
        _start(["git", "fetch", "--quiet", "origin", commit], mirror, _FETCH)
    if not _there(mirror, commit):
        raise UsageError(
            f"the commit {commit[:8]} is not in {address}",
            hint="git push it, then enqueue it again",
        )
    if not (mirror / "refs" / "remotes" / "origin" / "HEAD").exists():
        _start(["git", "remote", "set-head", "origin", "--auto"], mirror, _QUICK)


def _there(mirror: Path, commit: str) -> bool:
    return _start(["git", "cat-file", "-e", f"{commit}^{{commit}}"], mirror, _QUICK).returncode == 0


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _git(folder: Path, *arguments: str) -> None:
    done = _start(["git", *arguments], folder, _QUICK)
    if done.returncode:
        raise Unverified(f"git {arguments[0]} failed: {_last(done.stderr)}")


def _start(command: list[str], folder: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    access = {"GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")}
    if token := variable(GITHUB_TOKEN):  # the worker's credential helper may give it to GitHub
        access[GITHUB_TOKEN] = token
    try:
        return subprocess.run(
            command, cwd=folder, env={**git_environment(fetch=True), **_ENVIRONMENT, **access},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=seconds, check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise Unverified("git is not installed here", hint="install git") from error
    except subprocess.TimeoutExpired as error:
        raise Unverified(f"{' '.join(command[:2])} took over {seconds:.0f} s") from error


def _last(text: str) -> str:
    """What git said last but for advice, in one line."""
    lines = [line for line in text.splitlines() if line.startswith(("fatal:", "error:"))]
    return " ".join((lines or text.splitlines() or ["no word why"])[0].split())[:300]
