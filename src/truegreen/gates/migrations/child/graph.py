"""The revisions as Alembic loads them: the heads, what is pending, what can be undone. No database.

Loading revisions executes their files.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError

from truegreen.release.migrate.revision_files import blame, broken, declared, relative


class Problem(Exception):
    """The revisions do not hold together. ``kind``: ``fail``, or ``unknown`` where only something
    is missing here."""

    def __init__(self, text: str, file: str, kind: str = "fail") -> None:
        super().__init__(text)
        self.text, self.file, self.kind = text, file, kind

    def as_json(self) -> dict[str, Any]:
        return {"problem": self.text, "file": self.file, "kind": self.kind}


def problem_of(error: BaseException, root: Path) -> Problem:
    """What whatever a revision, env.py or Alembic raised comes to."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, ModuleNotFoundError):
        return Problem(f"{error}: it is not installed here", blame(error, root), "unknown")
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return Problem(text, blame(error, root))


def load(ini: str, root: Path) -> ScriptDirectory:
    """The revisions, all of them loaded. Raises Problem, and what a revision raises."""
    scripts = ScriptDirectory.from_config(Config(str(root / ini)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            scripts.get_heads()
            list(scripts.walk_revisions())
        except (RevisionError, CommandError, KeyError) as error:
            wrong = broken(declared(Path(scripts.dir), root))
            if wrong is None:
                raise
            said = " ".join(str(error).split())
            raise Problem(f"{wrong.key}: {wrong.problem} ({said})", wrong.file) from error
    wrong = broken(declared(Path(scripts.dir), root))
    if wrong is not None:
        raise Problem(f"{wrong.key}: {wrong.problem}", wrong.file)
    told = [str(warning.message) for warning in caught if "evision" in str(warning.message)]
    if told:
        raise Problem(told[0], "")
    return scripts


def heads(scripts: ScriptDirectory, root: Path) -> list[list[str]]:
    """``[revision, file]`` of each head."""
    files = {one.revision: one.path for one in scripts.walk_revisions()}
    return [[head, relative(Path(files[head]), root)] for head in sorted(scripts.get_heads())]


def unknown(scripts: ScriptDirectory, base: Iterable[str]) -> list[str]:
    """Those of ``base`` that these revisions do not know."""
    known = {one.revision for one in scripts.walk_revisions()}
    return sorted(set(base) - known)


def pending(scripts: ScriptDirectory, base: tuple[str, ...], root: Path) -> list[Script]:
    """The revisions between ``base`` (none for an empty database) and the heads, oldest first.

    Raises Problem for one that has no upgrade.
    """
    heads = scripts.get_heads()
    if set(base) == set(heads):
        return []
    # implicit_base, as Alembic's upgrade has it: from an empty database, from the beginning
    found = list(scripts.iterate_revisions(tuple(heads), base, implicit_base=True))
    for one in found:
        if not callable(getattr(one.module, "upgrade", None)):
            raise Problem("upgrade: there is no such function", relative(Path(one.path), root))
    return found[::-1]


def describe(script: Script, root: Path) -> dict[str, Any]:
    file = Path(script.path)
    return {
        "revision": script.revision,
        "file": relative(file, root),
        "doc": (script.doc or "").splitlines()[0] if script.doc else "",
        "downgrade": downgrade(file.read_bytes()),
    }


def downgrade(source: bytes) -> str:
    """``there``, ``missing``, ``empty`` (nothing but pass) or ``raises``, by the text. Pure."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return "missing"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "downgrade":
            body = [one for one in node.body if not _says_nothing(one)]
            if not body:
                return "empty"
            return "raises" if isinstance(body[0], ast.Raise) else "there"
    return "missing"


def _says_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, (ast.Pass, ast.Return)) and getattr(node, "value", None) is None
