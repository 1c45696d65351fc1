"""The files of a repository, as far as rules read them: each read once, parsed once.

What could not be read or parsed is kept as a gap, so that silence is never taken for health.
"""

from __future__ import annotations

import ast
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from truegreen.doctor.workflow import Workflow, parse_workflow

_LEFT_OUT = frozenset(
    {
        ".git", ".hg", ".truegreen", ".venv", "venv", "env", "node_modules", "__pycache__", ".tox",
        ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache", "build", "dist", "site-packages",
        ".eggs", "vendor",
    }
)  # fmt: skip
_LARGEST = 1024 * 1024  # bytes of a source file
_MOST_FILES = 200_000


@dataclass(frozen=True, slots=True)
class Gap:
    """A file that no rule could look into, and why."""

    path: str
    why: str


@dataclass
class Tree:
    """A repository's files by their path relative to ``root``, with ``/``."""

    root: Path
    paths: tuple[str, ...]
    gaps: list[Gap] = field(default_factory=list)
    _texts: dict[str, bytes | None] = field(default_factory=dict)
    _modules: dict[str, ast.Module | None] = field(default_factory=dict)
    _workflows: list[Workflow] | None = None

    @classmethod
    def of(cls, root: Path) -> Tree:
        """The tree below ``root``. Symbolic links are not followed; environments, caches and what
        builds leave behind are left out."""
        found: list[str] = []
        for folder, folders, files in os.walk(root):
            folders[:] = sorted(
                name
                for name in folders
                if name not in _LEFT_OUT and not (Path(folder) / name / "pyvenv.cfg").exists()
            )
            where = os.path.relpath(folder, root)
            prefix = "" if where == "." else where.replace(os.sep, "/") + "/"
            found += [prefix + name for name in sorted(files)]
            if len(found) > _MOST_FILES:
                break
        tree = cls(root, tuple(found))
        if len(found) > _MOST_FILES:
            tree.gaps.append(Gap(".", f"has more than {_MOST_FILES} files; the rest was left out"))
        return tree

    def bytes_of(self, path: str) -> bytes | None:
        """The content, or None (and a gap) when it cannot be read or is too large."""
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return self._texts[path]

    def _read(self, path: str) -> bytes | None:
        full = self.root / path
        try:
            if full.is_symlink():
                return None  # what it leads to is looked at where it stands
            if full.stat().st_size > _LARGEST:
                self.gaps.append(Gap(path, "is larger than 1 MiB"))
                return None
            return full.read_bytes()
        except OSError as error:
            self.gaps.append(Gap(path, f"cannot be read: {error.strerror}"))
            return None

    def text_of(self, path: str) -> str | None:
        """The content as UTF-8, or None (and a gap)."""
        data = self.bytes_of(path)
        if data is None:
            return None
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            self.gaps.append(Gap(path, "is not UTF-8 text"))
            self._texts[path] = None
            return None

    def named(self, name: str) -> Iterator[str]:
        """The paths of all files called ``name``."""
        return (path for path in self.paths if path.rpartition("/")[2] == name)

    def python(self, matching: re.Pattern[bytes]) -> Iterator[tuple[str, ast.Module]]:
        """The Python files in which ``matching`` is found, parsed. Parsing is what takes time (1 ms
        for 6 kB), so ``matching`` should find little more than the rule itself is about."""
        for path in self.paths:
            if path.endswith(".py"):
                data = self.bytes_of(path)
                if data is not None and matching.search(data):
                    module = self._module(path, data)
                    if module is not None:
                        yield path, module

    def _module(self, path: str, data: bytes) -> ast.Module | None:
        if path not in self._modules:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # about their escapes, not about ours
                    self._modules[path] = ast.parse(data, path)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                line = getattr(error, "lineno", None)
                at = f" (line {line})" if line else ""
                self.gaps.append(Gap(path, f"is not Python{at}"))
                self._modules[path] = None
        return self._modules[path]

    def workflows(self) -> list[Workflow]:
        """The workflows of GitHub Actions."""
        if self._workflows is None:
            self._workflows = []
            for path in self.paths:
                in_place = ".github/workflows/" in f"/{path}" and path.endswith((".yml", ".yaml"))
                text = self.text_of(path) if in_place else None
                if text is None:
                    continue
                try:
                    self._workflows.append(parse_workflow(path, text))
                except ValueError as error:
                    self.gaps.append(Gap(path, f"is not a workflow: {error}"))
        return self._workflows
