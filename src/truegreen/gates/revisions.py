"""The heads of a folder of Alembic revisions, asked of Alembic itself; no database.

Loading revisions executes their files, so this runs in a process of its own:
``python -P -m truegreen.gates.revisions ALEMBIC_INI ANSWER_FILE``, in the service's root. The
answer is one JSON document in ANSWER_FILE: ``{"heads": [[revision, file]…]}``, or
``{"problem": text, "file": name or "", "kind": "fail" | "unknown"}``.
"""

from __future__ import annotations

import ast
import json
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any


def main(ini: str, answer: str) -> None:
    """Writes the answer; whatever a revision prints goes to standard error."""
    sys.stdout = sys.stderr
    root = Path.cwd()
    try:
        told = _ask(ini, root)
    except ModuleNotFoundError as error:
        told = _problem(f"{error}: it is not installed here", _blame(error, root), "unknown")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a revision may raise anything
        text = f"{type(error).__name__}: {error}"
        told = _problem(" ".join(text.split()), _blame(error, root))
    Path(answer).write_text(json.dumps(told), encoding="utf-8")


def _ask(ini: str, root: Path) -> dict[str, Any]:
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.script.revision import RevisionError
    from alembic.util import CommandError

    script = ScriptDirectory.from_config(Config(ini))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            heads = script.get_heads()
            files = {one.revision: one.path for one in script.walk_revisions()}
        except (RevisionError, CommandError, KeyError) as error:
            explained = _written_wrong(Path(script.dir), root)
            if explained is None:
                raise
            return _problem(f"{explained[0]} ({' '.join(str(error).split())})", explained[1])
    explained = _written_wrong(Path(script.dir), root)
    if explained is not None:
        return _problem(*explained)
    told = [str(warning.message) for warning in caught if "evision" in str(warning.message)]
    if told:
        return _problem(told[0], "")
    return {"heads": [[head, _relative(Path(files[head]), root)] for head in sorted(heads)]}


def _problem(text: str, file: str, kind: str = "fail") -> dict[str, Any]:
    return {"problem": text, "file": file, "kind": kind}


def _written_wrong(folder: Path, root: Path) -> tuple[str, str] | None:
    """What the files say without being run: the same id twice, a parent that is nowhere, a chain
    that bites its tail. The problem and the file; None when nothing of that is there."""
    where: dict[str, str] = {}
    parents: dict[str, tuple[str, ...]] = {}
    for file in sorted(folder.rglob("*.py")):
        revision, down = _declared(file)
        if not isinstance(revision, str):
            continue
        name = _relative(file, root)
        if revision in where:
            return f"revision {revision} is also declared in {where[revision]}", name
        where[revision] = name
        parents[revision] = (down,) if isinstance(down, str) else tuple(down or ())
    for revision, ups in parents.items():
        for up in ups:
            if not any(known.startswith(up) for known in where):
                return f"its down_revision {up} is in no file", where[revision]
    return _cycle(parents, where)


def _cycle(parents: dict[str, tuple[str, ...]], where: dict[str, str]) -> tuple[str, str] | None:
    left = dict(parents)
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
    return f"revisions {', '.join(ring)} descend from one another", where[ring[0]]


def _declared(file: Path) -> tuple[Any, Any]:
    """``revision`` and ``down_revision`` where they are written as plain values, else None."""
    found: dict[str, Any] = {}
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return None, None
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.expr):
            try:
                found[target.id] = ast.literal_eval(value)
            except (ValueError, TypeError):
                continue
    return found.get("revision"), found.get("down_revision")


def _blame(error: BaseException, root: Path) -> str:
    """The file that the error is about: the one that does not parse, else the last of ours that
    was being run; "" when none is."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_relative(Path(error.filename), root)}:{error.lineno or 0}"
    ours = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).is_relative_to(root):
            ours = f"{_relative(Path(frame.filename), root)}:{frame.lineno}"
    return ours


def _relative(file: Path, root: Path) -> str:
    full = file if file.is_absolute() else root / file
    return str(full.relative_to(root)) if full.is_relative_to(root) else str(file)


if __name__ == "__main__":
    main(*sys.argv[1:3])
