"""What the candidate will be once it is merged: a tree made by git in memory, no work tree.

``git merge-tree --write-tree`` (git 2.38) writes objects and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from truegreen.gates.head_tree import run_git


@dataclass(frozen=True, slots=True)
class Merged:
    """``tree``: of the whole repository. ``branch``: what was merged with, "" for nothing (then the
    tree is the commit's own). ``conflicts``: paths, from the repository's top, that do not merge.
    ``error``: why the merge could not be made at all."""

    tree: str
    branch: str = ""
    conflicts: tuple[str, ...] = ()
    error: str = ""


def merge(root: Path, commit: str, branch: str) -> Merged:
    """``commit`` merged with the tip of ``branch`` ("": origin's default branch, if there is one).

    Where one holds the other there is nothing to merge, and it is the commit itself.
    """
    own = Merged(_line(root, "rev-parse", f"{commit}^{{tree}}"))
    name = branch or _line(root, "rev-parse", "--abbrev-ref", "--verify", "-q", "origin/HEAD")
    if not name:
        return own
    tip = _tip(root, name)
    if not tip:
        return Merged(own.tree, name, error=f"there is no branch {name}")
    base = _line(root, "merge-base", commit, tip)
    if base in (commit, tip):
        return own
    done = run_git(
        root, "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", commit, tip
    )
    parts = [one for one in done.stdout.decode(errors="replace").split("\0") if one]
    if done.returncode not in (0, 1) or not parts:
        told = done.stderr.decode(errors="replace").strip().splitlines()
        return Merged(own.tree, name, error=told[0] if told else f"exit {done.returncode}")
    return Merged(parts[0], name, tuple(parts[1:]))


def tree_at(root: Path, tree: str, path: str) -> str:
    """The id of what is at ``path`` in ``tree``; "" when nothing is."""
    return _line(
        root, "rev-parse", "-q", "--verify", f"{tree}:{path}" if path else f"{tree}^{{tree}}"
    )


def prefix_of(root: Path) -> str:
    """The folder's path inside its repository, "" for the top."""
    return _line(root, "rev-parse", "--show-prefix").strip("/")


def _tip(root: Path, name: str) -> str:
    """A branch by its own name, or origin's of that name: a clone has only the latter."""
    for one in (f"refs/remotes/origin/{name}", f"refs/heads/{name}", name):
        tip = _line(root, "rev-parse", "-q", "--verify", f"{one}^{{commit}}")
        if tip:
            return tip
    return ""


def _line(root: Path, *arguments: str) -> str:
    done = run_git(root, *arguments)
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""
