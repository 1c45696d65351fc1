"""Which of a service's requirements are not installed for the Python that runs this.

Names only: versions are the build's business. What is behind ``-r``, a URL or a marker is not
looked at, so a requirement may be missed here, and none is made up.
"""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)[ \t]*(?:\[[^\]]*\])?[ \t]*(?:[=<>!~,].*|\Z)")


def missing(root: Path) -> tuple[str, ...]:
    """Names from ``requirements.txt`` and ``pyproject.toml`` of ``root`` that are not installed."""
    return tuple(name for name in listed(root) if not _installed(name))


def listed(root: Path) -> tuple[str, ...]:
    """Names from ``requirements.txt`` and ``pyproject.toml`` of ``root``, each once."""
    return tuple(dict.fromkeys([*_from_requirements(root), *_from_project(root)]))


def names(lines: Iterable[str]) -> Iterator[str]:
    """The package names in requirement lines, without options, URLs, comments and markers."""
    for line in lines:
        match = _NAME.match(re.sub(r"(\A|\s)#.*", "", line).strip())
        if match and ";" not in line:
            yield match[1]


def _from_requirements(root: Path) -> Iterator[str]:
    try:
        text = (root / "requirements.txt").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    yield from names(text.splitlines())


def _from_project(root: Path) -> Iterator[str]:
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    section = project.get("project")
    listed = section.get("dependencies") if isinstance(section, dict) else None
    if isinstance(listed, list):
        yield from names(line for line in listed if isinstance(line, str))


def _installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
