"""The tree at HEAD of one folder, as git has it: what would be shipped, whatever lies around it.

Only reading, and only local: a blob that is not here (partial clone) is reported, not fetched.
What the gates make of the content does not live here.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from truegreen.errors import UsageError
from truegreen.git_environment import git_environment
from truegreen.untar import UnsafeMember, Untar

TIMEOUT = 120.0  # seconds for one git command


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the tree. ``path`` is relative to the folder, with ``/``; ``size`` in bytes,
    None for a submodule, for an object that git does not have here, and where none was asked for.
    """

    path: str
    mode: str
    kind: str  # blob | commit (a submodule)
    oid: str
    size: int | None


@dataclass(frozen=True, slots=True)
class HeadTree:
    """The folder ``root`` at ``commit`` (a full hash); ``tree`` is the id of its tree."""

    root: Path
    commit: str
    tree: str

    @classmethod
    def of(cls, root: Path, commit: str = "HEAD") -> HeadTree:
        """The tree of ``root`` at ``commit`` (HEAD, or a full hash). Raises UsageError: no git, no
        repository, no such commit, or nothing of the folder in it."""
        if not root.is_dir():
            raise UsageError(f"{root} is not a folder")
        asked = run_git(root, "rev-parse", "--show-prefix", f"{commit}^{{commit}}")
        if asked.returncode:
            git(root, "rev-parse", "--show-prefix")  # says when there is no repository at all
            missing = "no commit yet" if commit == "HEAD" else f"no commit {commit[:12]}"
            raise UsageError(
                f"{root}: the repository has {missing}", hint="commit first: git commit"
            )
        prefix, commit = asked.stdout.decode(errors="replace").split("\n")[:2]
        name = f"{commit}:{prefix.rstrip('/')}"
        found = run_git(root, "rev-parse", "--verify", "--quiet", name)
        if found.returncode:
            raise UsageError(
                f"{root}: nothing of this folder is in the commit {commit[:8]}",
                hint="git add it and commit: only what is committed is shipped",
            )
        return cls(root, commit, found.stdout.decode().strip())

    @property
    def source(self) -> str:
        return f"git {self.commit[:12]}"

    def entries(self, *, sizes: bool = True) -> tuple[Entry, ...]:
        """Every file, in git's order. Without ``sizes`` git need not look at each object, and
        every size is None. Raises UsageError when git cannot list them."""
        long = ("-l",) if sizes else ()
        listed = git(self.root, "ls-tree", "-r", "-z", *long, "--full-tree", self.tree)
        return tuple(_entry(line) for line in listed.split(b"\0") if line)

    def export(self, to: Path) -> None:
        """Writes the tree into the folder ``to``. Raises UsageError when git or tar refuses."""
        top = git(self.root, "rev-parse", "--show-toplevel").decode(errors="surrogateescape")
        # in a subfolder, archive would look for that folder's path within the tree
        archive = git(Path(top.strip("\n")), "archive", "--format=tar", self.tree)
        try:
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                untar = Untar(tar, to)
                for member in tar:
                    untar.extract(member)
        except (UnsafeMember, tarfile.TarError, OSError) as error:
            raise UsageError(f"{self.root}: HEAD cannot be written out: {error}") from error


def _entry(line: bytes) -> Entry:
    meta, _, path = line.partition(b"\t")
    mode, kind, oid, *size = meta.decode("ascii").split()
    known = int(size[0]) if size and size[0].isdigit() else None
    return Entry(printable(path), mode, kind, oid, known)


def printable(path: bytes) -> str:
    """``path`` as it may be shown in one line: what a terminal would obey is escaped."""
    text = path.decode("utf-8", errors="backslashreplace")
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def run_git(
    root: Path, *arguments: str, timeout: float = TIMEOUT
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            check=False,
            timeout=timeout,
            env=git_environment(),
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise UsageError("git is not installed, or not on PATH") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"git {arguments[0]} did not end within {timeout:g} s") from error


def git(root: Path, *arguments: str, timeout: float = TIMEOUT) -> bytes:
    """What git prints, within ``timeout`` seconds. Raises UsageError when it fails."""
    done = run_git(root, *arguments, timeout=timeout)
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip().splitlines()
        why = told[0] if told else f"exit {done.returncode}"
        if "not a git repository" in why:
            raise UsageError(
                f"{root} is not in a git repository", hint="git init, add and commit it first"
            )
        raise UsageError(f"git {arguments[0]} in {root}: {why}")
    return done.stdout
