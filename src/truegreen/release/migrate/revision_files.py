"""What revision files say without being run: which file, and which key in it, is wrong.

Only reads text; standard library. Alembic's own complaint names revisions, not files.
"""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Declared:
    """A revision file's own words. ``file`` is relative to the service's root; ``down`` may hold
    abbreviated ids, as Alembic allows."""

    revision: str
    down: tuple[str, ...]
    file: str


@dataclass(frozen=True, slots=True)
class Broken:
    """One thing that is wrong: the file, the key in it ("" for the file itself), and what."""

    file: str
    key: str
    problem: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.key, self.problem) if part)


def declared(folder: Path, root: Path) -> tuple[Declared, ...]:
    """Every revision below ``folder`` whose id is written as a plain string, by file name."""
    found = []
    for file in sorted(folder.rglob("*.py")):
        values = _values(file)
        revision, down = values.get("revision"), values.get("down_revision")
        if isinstance(revision, str):
            ups = (down,) if isinstance(down, str) else tuple(map(str, down or ()))
            found.append(Declared(revision, ups, relative(file, root)))
    return tuple(found)


def broken(revisions: Iterable[Declared]) -> Broken | None:
    """The same id twice, a parent that is nowhere, a chain that bites its tail; None when nothing
    of that is there. Pure."""
    where: dict[str, Declared] = {}
    for one in revisions:
        if one.revision in where:
            text = f"revision {one.revision} is also declared in {where[one.revision].file}"
            return Broken(one.file, "revision", text)
        where[one.revision] = one
    for one in where.values():
        for up in one.down:
            if not any(known.startswith(up) for known in where):
                return Broken(one.file, "down_revision", f"{up} is in no file")
    return _cycle(where)


def blame(error: BaseException, root: Path) -> str:
    """The file and line that the error is about: the one that does not parse, else the last of
    ours that was being run; "" when none is."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{relative(Path(error.filename), root)}:{error.lineno or 0}"
    ours = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).is_relative_to(root) and ".venv" not in frame.filename:
            ours = f"{relative(Path(frame.filename), root)}:{frame.lineno}"
    return ours


def relative(file: Path, root: Path) -> str:
    full = file if file.is_absolute() else root / file
    return str(full.relative_to(root)) if full.is_relative_to(root) else str(file)


def _cycle(where: Mapping[str, Declared]) -> Broken | None:
    left = {one.revision: one.down for one in where.values()}
    while True:  # takes away whatever has no parent left; a cycle is what stays
        roots = [one for one, ups in left.items() if not any(up in left for up in ups)]
        if not roots:
            break
        for one in roots:
            del left[one]
    if not left:
        return None
    tails = {up for ups in left.values() for up in ups}
    ring = sorted(one for one in left if one in tails)
    text = f"revisions {', '.join(ring)} descend from one another"
    return Broken(where[ring[0]].file, "down_revision", text)


def _values(file: Path) -> dict[str, Any]:
    """``revision`` and ``down_revision`` where they are written as plain values."""
    found: dict[str, Any] = {}
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError, RecursionError):
        return found
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.expr):
            try:
                found[target.id] = ast.literal_eval(value)
            except (ValueError, TypeError):
                continue
    return found
