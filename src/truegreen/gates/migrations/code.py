"""What the code of a commit uses of the database: its metadata, and the names in its texts.

Reads git and asks a child; whether that breaks anything is ``contract``'s to say.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from truegreen.config import Config
from truegreen.errors import TrueGreenError
from truegreen.gates.head_tree import HeadTree
from truegreen.gates.migrations.blobs import contents
from truegreen.gates.migrations.cache import AnswerCache, digest_of_code
from truegreen.gates.migrations.contract import Column, Uses, name_of
from truegreen.gates.migrations.facts import Change
from truegreen.gates.migrations.inquiry import child_environment, metadata

_TEXTS = (".py", ".sql")
_LARGEST = 1_000_000  # bytes of a text that is looked through
_PLACES = 5


def uses_of(
    config: Config, commit: str, changes: Iterable[Change], environ: Mapping[str, str]
) -> Uses:
    """What the service's code at ``commit`` knows of what ``changes`` change. Never raises for what
    the code or the repository is like: ``error`` says it."""
    try:
        tree = HeadTree.of(config.root, commit)
        tables, error = _metadata(config, tree, environ)
        mentions = _mentions(tree, changes)
    except TrueGreenError as problem:
        return Uses(commit, None, {}, problem.message)
    return Uses(commit, tables, mentions, error)


def _metadata(
    config: Config, tree: HeadTree, environ: Mapping[str, str]
) -> tuple[Mapping[str, Mapping[str, Column]] | None, str]:
    """The tables that the tree's env.py names, and why there are none; from the cache, where this
    tree was asked before."""
    ini = config.release.alembic_ini
    cache = AnswerCache(config.root)
    digest = digest_of_code(tree, {"ini": ini, "pins": sorted(config.smoke.env.items())})
    told = cache.get(digest)
    if told is not None:
        try:
            return _tables(told), ""
        except (KeyError, TypeError, AttributeError):
            pass  # damaged: asked anew
    with tempfile.TemporaryDirectory(
        prefix="truegreen-contract-", ignore_cleanup_errors=True
    ) as folder:
        root = Path(folder).resolve() / "tree"
        tree.export(root)
        if not (root / ini).is_file():
            return None, ""  # from before there were migrations
        told = metadata(root, ini, child_environment(config, environ))
    if not told["error"]:
        cache.put(digest, told)
    return _tables(told), str(told["error"])


def _tables(told: Mapping[str, Any]) -> Mapping[str, Mapping[str, Column]] | None:
    if told["tables"] is None:
        return None
    return {
        table: {name: Column(**one) for name, one in columns.items()}
        for table, columns in told["tables"].items()
    }


def _mentions(tree: HeadTree, changes: Iterable[Change]) -> dict[str, tuple[str, ...]]:
    """Places in the texts that name what changes; a column only beside its table's name."""
    entries = [
        one
        for one in tree.entries()
        if one.path.endswith(_TEXTS) and (one.size or 0) < _LARGEST and not _aside(one.path)
    ]
    found: dict[str, list[str]] = {}
    names = {name_of(change): change for change in changes}
    if not names:
        return {}
    for entry, blob in zip(entries, contents(tree.root, (one.oid for one in entries)), strict=True):
        text = (blob or b"").decode("utf-8", errors="replace")
        for name, change in names.items():
            table = change.table.rpartition(".")[2]
            if change.column and not re.search(rf"\b{re.escape(table)}\b", text):
                continue
            for line in _lines(text, change.column or table):
                found.setdefault(name, []).append(f"{entry.path}:{line}")
    return {name: tuple(places[:_PLACES]) for name, places in found.items()}


def _aside(path: str) -> bool:
    """Revisions name what they drop, and tests serve nobody."""
    parts = PurePosixPath(path).parts
    return "versions" in parts or "tests" in parts or parts[-1].startswith("test_")


def _lines(text: str, word: str) -> list[int]:
    pattern = re.compile(rf"\b{re.escape(word)}\b")
    return [number for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]
