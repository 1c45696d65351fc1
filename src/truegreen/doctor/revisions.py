"""The rule about Alembic's revision graph, read from the files without running them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from truegreen.doctor.finding import Finding
from truegreen.doctor.tree import Tree

_DECLARES = re.compile(rb"^down_revision\b[^=\n]*=", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Revision:
    """One migration as it declares itself."""

    path: str
    line: int
    name: str
    parents: tuple[str, ...]


def graph(tree: Tree) -> Iterator[Finding]:
    """Several heads, a parent that is missing, one revision twice; each folder by itself."""
    folders: dict[str, list[Revision]] = {}
    for path, module in tree.python(_DECLARES):
        found = _revision(path, module)
        if found is not None:
            folders.setdefault(path.rpartition("/")[0], []).append(found)
    for revisions in folders.values():
        yield from _folder(revisions)


def _folder(revisions: list[Revision]) -> Iterator[Finding]:
    known: dict[str, Revision] = {}
    for one in revisions:
        if one.name in known:
            told = f"revision {one.name} stands in {known[one.name].path} too"
            yield Finding("revision-twice", "error", one.path, one.line, told)
        known[one.name] = one
    parents = {parent for one in revisions for parent in one.parents}
    for one in revisions:
        for parent in one.parents:
            if not any(name == parent or name.startswith(parent) for name in known):
                told = f"revision {one.name} comes after {parent}, which is not there"
                yield Finding("revision-orphan", "error", one.path, one.line, told)
    heads = [one for one in known.values() if not _is_parent(one.name, parents)]
    if len(heads) > 1:
        names = ", ".join(sorted(one.name for one in heads))
        for one in heads:
            told = f"there are {len(heads)} heads ({names}): alembic upgrade head will refuse"
            yield Finding("several-heads", "error", one.path, one.line, told)
    if revisions and not heads:
        told = "the revisions go round in a circle"
        yield Finding("several-heads", "error", revisions[0].path, revisions[0].line, told)


def _is_parent(name: str, parents: set[str]) -> bool:
    # Alembic takes a unique beginning of a revision's name for it.
    return any(name == parent or (parent and name.startswith(parent)) for parent in parents)


def _revision(path: str, module: ast.Module) -> Revision | None:
    values: dict[str, tuple[ast.expr, int]] = {}
    for node in module.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, node.value
        else:
            continue
        if isinstance(target, ast.Name):
            values[target.id] = (value, node.lineno)
    if "revision" not in values or "down_revision" not in values:
        return None
    names = _strings(values["revision"][0])
    if len(names) != 1:
        return None
    return Revision(path, values["revision"][1], names[0], _strings(values["down_revision"][0]))


def _strings(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (node.value,)
    if isinstance(node, (ast.Tuple, ast.List)):
        return tuple(
            one.value
            for one in node.elts
            if isinstance(one, ast.Constant) and isinstance(one.value, str)
        )
    return ()
