"""A work tree of a commit that shares only the objects of the repository: no refs, no remote, no
hooks, no configuration. What is done in it cannot reach the repository through git, and it is gone
afterwards. (``git worktree`` would share refs and configuration, and leave entries behind a kill.)
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from truegreen.errors import UsageError
from truegreen.git_environment import git_environment

TIMEOUT = 120.0  # seconds for one git command
_NOT_LOOKED_AT = ".truegreen/\n__pycache__/\n.pytest_cache/\n*.pyc\n"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Digests of a repository's configuration and hooks, and of its refs and tracked files."""

    common: Path
    settings: str
    refs: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository, and the service's path inside it (``prefix``, "" for all of it)."""

    top: Path
    prefix: str

    @classmethod
    def of(cls, root: Path) -> Repository:
        """The repository that the folder ``root`` is in. UsageError when it is in none."""
        if not root.is_dir():
            raise UsageError(f"{root} is not a folder")
        top = git(root, "rev-parse", "--show-toplevel", "--show-prefix").split("\n")
        return cls(Path(top[0]), top[1].strip("/"))

    def path(self, name: str) -> str:
        """``name`` (below the service's root) as a path of the repository."""
        return f"{self.prefix}/{name}" if self.prefix else name

    def commit(self, name: str) -> str | None:
        """The full id of a commit by any name; None when it is not here."""
        try:
            return git(
                self.top,
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                f"{name}^{{commit}}",
            ).strip()
        except UsageError:
            return None

    def blob(self, commit: str, name: str) -> bytes | None:
        """The content of the file ``name`` (below the service's root) at ``commit``, or None."""
        try:
            return git_bytes(self.top, "cat-file", "blob", f"{commit}:{self.path(name)}")
        except UsageError:
            return None

    def object_id(self, commit: str, name: str) -> str | None:
        """The id of the file or folder ``name`` at ``commit``; None when it is not there."""
        try:
            told = git(self.top, "rev-parse", "--verify", "--quiet", f"{commit}:{self.path(name)}")
        except UsageError:
            return None
        return told.strip()

    @property
    def shallow(self) -> bool:
        return git(self.top, "rev-parse", "--is-shallow-repository").strip() == "true"

    def fingerprint(self) -> Fingerprint:
        """What of the repository a proof must not change."""
        common = Path(git(self.top, "rev-parse", "--git-common-dir").strip())
        common = common if common.is_absolute() else self.top / common
        return Fingerprint(common, _settings(common), self._refs())

    def touched(self, before: Fingerprint) -> bool:
        """Whether a ref, the configuration, a hook or a tracked file is not as it was.

        The configuration is looked at first, without git: it could make git run something.
        """
        return _settings(before.common) != before.settings or self._refs() != before.refs

    def _refs(self) -> str:
        told = hashlib.sha256()
        told.update(git_bytes(self.top, "rev-parse", "HEAD"))
        told.update(git_bytes(self.top, "for-each-ref"))
        told.update(git_bytes(self.top, "status", "--porcelain", "--untracked-files=no"))
        return told.hexdigest()


def _settings(common: Path) -> str:
    told = hashlib.sha256()
    for path in (common / "config", *sorted((common / "hooks").glob("*"))):
        if path.is_file():
            told.update(path.read_bytes())
    return told.hexdigest()


@dataclass(frozen=True, slots=True)
class Checkout:
    """A commit's files in ``top``; the service is in ``root``."""

    top: Path
    root: Path
    repository: Repository
    objects: Path

    def lay_over(self, commit: str, names: Sequence[str]) -> None:
        """Puts the files ``names`` (below the service's root) as they are at ``commit`` over it.
        UsageError when one is not there."""
        if names:
            paths = [self.repository.path(name) for name in names]
            git(self.top, "checkout", "--quiet", commit, "--", *paths)

    def snapshot(self) -> str:
        """The id of the tree of everything in it, what is ignored left out."""
        git(self.top, "add", "--all")
        return git(self.top, "write-tree").strip()

    def changed(self, before: str) -> tuple[str, ...]:
        """The paths that differ from the snapshot ``before``.

        Asked with a git directory of its own: what ran here may have changed this one's
        configuration, and that can make git run something.
        """
        with tempfile.TemporaryDirectory(prefix="truegreen-look-") as name:
            own = Path(name) / "git"
            _init(self.repository, own, self.objects, self.top / ".git" / "objects")
            look = (f"--git-dir={own / '.git'}", f"--work-tree={self.top}")
            git(own, *look, "add", "--all")
            after = git(own, *look, "write-tree").strip()
            told = git(own, *look, "diff", "--name-only", "-z", "--no-renames", before, after)
        return tuple(path for path in told.split("\0") if path)


@contextmanager
def check_out(repository: Repository, commit: str) -> Iterator[Checkout]:
    """A work tree of ``commit`` (a full id). UsageError when git cannot make one."""
    with tempfile.TemporaryDirectory(prefix="truegreen-proof-", ignore_cleanup_errors=True) as name:
        top = Path(name).resolve() / "tree"
        objects = _absolute(repository, "objects")
        _init(repository, top, objects)
        shallow = _absolute(repository, "shallow")
        if shallow.is_file():
            (top / ".git" / "shallow").write_bytes(shallow.read_bytes())
        git(top, "checkout", "--quiet", "--detach", commit)
        root = top / repository.prefix if repository.prefix else top
        if not root.is_dir():
            raise UsageError(f"{repository.prefix} is not in the commit {commit[:12]}")
        yield Checkout(top, root, repository, objects)


def _absolute(repository: Repository, name: str) -> Path:
    path = Path(git(repository.top, "rev-parse", "--git-path", name).strip())
    return path if path.is_absolute() else repository.top / path


def _init(repository: Repository, folder: Path, *objects: Path) -> None:
    """An empty repository in ``folder`` that finds its objects in ``objects``."""
    kind = git(repository.top, "rev-parse", "--show-object-format").strip()
    git(repository.top, "init", "--quiet", "--template=", f"--object-format={kind}", str(folder))
    info = folder / ".git" / "info"
    info.mkdir(exist_ok=True)
    (info / "exclude").write_text(_NOT_LOOKED_AT, encoding="utf-8")
    alternates = folder / ".git" / "objects" / "info" / "alternates"
    alternates.parent.mkdir(parents=True, exist_ok=True)
    alternates.write_text("".join(f"{path}\n" for path in objects), encoding="utf-8")


def git(folder: Path, *arguments: str) -> str:
    """git's output as text. UsageError when it fails."""
    return git_bytes(folder, *arguments).decode("utf-8", "surrogateescape")


def git_bytes(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", "-c", "core.hooksPath=/dev/null", "-C", str(folder), *arguments],
            capture_output=True,
            check=False,
            timeout=TIMEOUT,
            env=git_environment(),
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise UsageError("git is not installed, or not on PATH") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"git {arguments[0]} did not end within {TIMEOUT:g} s") from error
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip().splitlines()
        why = told[0] if told else f"exit {done.returncode}"
        raise UsageError(f"git {arguments[0]} in {folder}: {why}")
    return done.stdout
