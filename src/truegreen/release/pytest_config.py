"""Which configuration file pytest may read: one inside the service, and none of a folder above it.

pytest looks upward from its arguments (docs.pytest.org: "Initialization: determining rootdir and
configfile"). What lies above the service belongs to the machine, and must not decide what its
smoke suite means.
"""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Sequence
from pathlib import Path

_OWN_FILES = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini")
_SECTIONS = {"tox.ini": "pytest", "setup.cfg": "tool:pytest"}


def options(root: Path, paths: Sequence[str], scratch: Path) -> list[str]:
    """The options that keep pytest inside ``root``. ``scratch``: a folder of our own, for an empty
    configuration where the service has none."""
    kept_in = [f"--rootdir={root}", f"--confcutdir={root}"]
    if any(has_config(folder) for folder in _searched(root, paths)):
        return kept_in
    empty = scratch / "pytest.ini"
    empty.write_text("[pytest]\n", encoding="utf-8")
    return [*kept_in, "-c", str(empty)]


def has_config(folder: Path) -> bool:
    """Whether pytest would take its configuration from a file in ``folder``."""
    if any((folder / name).is_file() for name in _OWN_FILES):
        return True
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        if "pytest" in project.get("tool", {}):
            return True
    except (OSError, ValueError):
        pass  # none, or not readable: pytest says so itself where it matters
    for name, section in _SECTIONS.items():
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read(folder / name, encoding="utf-8")
        except (configparser.Error, ValueError):
            continue
        if parser.has_section(section):
            return True
    return False


def _searched(root: Path, paths: Sequence[str]) -> list[Path]:
    """The folders inside ``root`` in which pytest looks: from its arguments up to the root."""
    found = [root]
    for path in paths:
        folder = root / path.partition("::")[0]
        while folder != root and root in folder.parents:
            found.append(folder)
            folder = folder.parent
    return found
