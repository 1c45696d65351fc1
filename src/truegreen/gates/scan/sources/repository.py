"""What a repository gives to scan: the tree of a commit, what a commit changed since another, or
every blob that any reference leads to, each once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from truegreen.gates.head_tree import Entry, HeadTree, git, printable
from truegreen.gates.scan.found import Gap
from truegreen.gates.scan.sources import Item
from truegreen.gates.scan.sources.objects import read_objects


@dataclass(frozen=True, slots=True)
class Blob:
    """One blob under one path. ``gap``: why it is not scanned."""

    path: str
    oid: str
    gap: Gap | None = None


def tree_blobs(entries: Iterable[Entry]) -> list[Blob]:
    """The files of a tree, in git's order."""
    return [Blob(entry.path, entry.oid, _gap(entry.kind)) for entry in entries]


def changed_blobs(tree: HeadTree, base: str) -> tuple[list[Blob], list[str]]:
    """The files of ``tree`` that the commit ``base`` has not, and the ids of what they replace or
    what is gone: a value that stood in those is not new. Raises UsageError without such a commit.
    """
    old = HeadTree.of(tree.root, base)
    raw = git(tree.root, "diff-tree", "-r", "-z", "--no-renames", "--raw", old.tree, tree.tree)
    fields = raw.split(b"\0")
    changed: list[Blob] = []
    before: list[str] = []
    for meta, path in zip(fields[::2], fields[1::2], strict=False):
        words = meta.decode("ascii").lstrip(":").split()
        if len(words) != 5:
            continue
        old_mode, new_mode, old_oid, new_oid, _ = words
        if old_mode.startswith(("100", "120")):
            before.append(old_oid)
        if new_mode != "000000":
            kind = "commit" if new_mode == "160000" else "blob"
            changed.append(Blob(printable(path), new_oid, _gap(kind)))
    return changed, before


def history_blobs(root: Path) -> list[Blob]:
    """Every blob that a branch, a tag, a stash or HEAD leads to, each once, under the path that
    git names first. Raises UsageError: no repository."""
    listed = git(
        root,
        "rev-list",
        "--objects",
        "--all",
        "--filter=object:type=blob",
        "--filter-provided-objects",
        timeout=900.0,
    )
    blobs: list[Blob] = []
    for line in listed.split(b"\n"):
        oid, _, path = line.partition(b" ")
        if oid:
            blobs.append(Blob(printable(path), oid.decode("ascii")))
    return blobs


def items(root: Path, blobs: Sequence[Blob]) -> Iterator[Item]:
    """The blobs as items, in order. Each item must be read before the next is asked for."""
    reading = read_objects(root, [blob.oid for blob in blobs if blob.gap is None])
    for blob in blobs:
        if blob.gap is not None:
            yield Item(blob.path, blob.oid, gap=blob.gap)
            continue
        size, blocks = next(reading)
        yield Item(blob.path, blob.oid, size, partial(iter, blocks))


def _gap(kind: str) -> Gap | None:
    return None if kind == "blob" else Gap("", "a submodule")
