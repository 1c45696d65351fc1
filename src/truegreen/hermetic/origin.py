"""Whose line it was: finds, on a stack, the user's code on whose behalf something happened.

Knows files and frames only, nothing of environments or tests.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import FrameType

USER, OWN, GLUE, LIBRARY, RUNNER = "user", "own", "glue", "library", "runner"

# Standard library through which a read goes on its way, without being the one who wants it.
_GLUE = frozenset(
    {"os.py", "_collections_abc.py", "functools.py", "contextlib.py", "collections/__init__.py"}
)
# Libraries whose whole purpose is to read variables for their caller: the caller reads.
_READERS = frozenset(
    {"decouple", "environs", "environ", "pydantic_settings", "dj_database_url", "dotenv"}
)
# Functions of libraries that do nothing else than that.
_FOR_CALLER = {"flask": frozenset({"from_prefixed_env", "from_envvar"})}
_PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_RUNNERS = frozenset({"_pytest", "pluggy"})


# A line of the user's: the file relative to the root, the line; ``via``: a library that stood
# between and did the reading of its own accord, or ""; ``importing``: the user's module that was
# being imported, or "". A plain tuple: one is made for every read.
Place = tuple[str, int, str, str]


class Stack:
    """Tells the user's files (below ``root``) from libraries, the standard library and ours."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root) + os.sep
        self._near = (self._root, str(root.absolute()) + os.sep)
        self._own = str(Path(__file__).resolve().parent.parent) + os.sep
        self._health = str(Path(self._own) / "health" / "report.py")
        self._stdlib = os.path.dirname(os.path.realpath(os.__file__)) + os.sep  # noqa: PTH120
        self._kinds: dict[str, tuple[str, str]] = {}
        self._folders: dict[str, str] = {}  # folder -> where it really is

    def place(self, frame: FrameType | None) -> Place | None:
        """The innermost user's line from ``frame`` outwards, or None when there is none.

        None too for what our own ``health`` reads: the platform's metadata is reported, not
        depended on.
        """
        # For every read: no call that can be spared.
        kinds = self._kinds
        via = ""
        nearest = True
        while frame is not None:
            code = frame.f_code
            kind, name = kinds.get(code.co_filename) or self._classify(code.co_filename)
            if kind == USER:
                file, line = name, frame.f_lineno
                while frame is not None:
                    code = frame.f_code
                    kind, name = kinds.get(code.co_filename) or self._classify(code.co_filename)
                    if kind == RUNNER:
                        break  # whoever called pytest is not what is being imported
                    if kind == USER and code.co_name == "<module>":
                        return file, line, via, str(frame.f_globals.get("__name__") or name)
                    frame = frame.f_back
                return file, line, via, ""
            if kind == RUNNER:
                return None  # pytest's own read, whoever may have called pytest
            if nearest and kind != GLUE:
                if kind == OWN and name == self._health:
                    return None
                if kind == LIBRARY:
                    for_caller = frame.f_code.co_name in _FOR_CALLER.get(name, ())
                    via = "" if for_caller else name
                    nearest = for_caller
                else:
                    nearest = False
            frame = frame.f_back
        return None

    def is_user(self, filename: str | None) -> bool:
        """Whether this file is the user's."""
        if not filename or not filename.startswith(self._near):
            return False
        return (self._kinds.get(filename) or self._classify(filename))[0] == USER

    def _classify(self, filename: str) -> tuple[str, str]:
        found = self._kind(filename)
        self._kinds[filename] = found
        return found

    def _kind(self, filename: str) -> tuple[str, str]:
        if filename.startswith("<"):
            return GLUE, filename
        path = self._real(filename)
        if path.startswith(self._own):
            return OWN, path
        package = _in_packages(path)
        if package:
            if package in _RUNNERS:
                return RUNNER, package
            return (GLUE if package in _READERS else LIBRARY), package
        if path.startswith(self._stdlib):
            rest_of = path[len(self._stdlib) :].replace(os.sep, "/")
            name = rest_of.split("/")[0].removesuffix(".py")
            return (GLUE if rest_of in _GLUE else LIBRARY), name
        if path.startswith(self._root):
            return USER, path[len(self._root) :].replace(os.sep, "/")
        return LIBRARY, Path(path).stem

    def _real(self, filename: str) -> str:
        """realpath, but each folder only once: it asks for every part of a path."""
        folder, _, name = filename.rpartition(os.sep)
        if os.path.islink(filename):  # noqa: PTH114  # a Path takes longer than the question
            return os.path.realpath(filename)
        real = self._folders.get(folder)
        if real is None:
            real = self._folders[folder] = os.path.realpath(folder)
        return real + os.sep + name


def _in_packages(path: str) -> str:
    """The name of the installed package, or single module, that has the file ``path``, or ""."""
    for folder in _PACKAGES:
        _, found, rest = path.rpartition(folder)
        if found:
            return rest.partition(os.sep)[0].removesuffix(".py")
    return ""
