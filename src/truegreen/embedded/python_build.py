"""How the Python part of a slug is built: what to install is decided here, purely, from its files.

No process is started here: `builds` runs the commands of a `PythonPlan`.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truegreen.embedded.source import BuildError

RECIPE = "1"  # change it when the commands below change what they install
LOOKED_FOR = "requirements.txt, uv.lock with pyproject.toml, or pyproject.toml"


@dataclass(frozen=True)
class PythonPlan:
    """``digest`` names the virtual environment: the same one serves every slug that needs the same.

    ``manifest``: what it is made from, for the build's output. ``wants_truegreen``: whether our own
    wheel has to be offered. ``python``: what ``uv venv --python`` gets; None for ours.
    """

    manifest: str
    digest_parts: tuple[str, ...]
    install: tuple[str, ...]
    python: str | None
    wants_truegreen: bool

    def venv_name(self, python: str, wheel_digest: str) -> str:
        """``python``: version and path of the interpreter; ``wheel_digest``: of our own wheel."""
        wheel = wheel_digest if self.wants_truegreen else ""
        text = "\0".join((RECIPE, python, wheel, *self.digest_parts))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def plan_python(folder: Path, slug_id: str, source_digest: str) -> PythonPlan:
    """What to install for the source in ``folder``. Raises BuildError when nothing is recognised.

    ``slug_id`` and ``source_digest`` go into the environment's name only when the source itself is
    installed into it (editable, or as a package).
    """
    python = _read(folder / ".python-version").strip() or None
    requirements = folder / "requirements.txt"
    if requirements.is_file():
        texts = _requirement_texts(requirements, folder)
        local = any(_LOCAL.search(text) for text in texts)
        return PythonPlan(
            "requirements.txt",
            ("requirements", *texts, slug_id if local else ""),
            ("pip", "install", "--requirements", "requirements.txt"),
            python,
            _names_truegreen(texts),
        )
    if (folder / "pyproject.toml").is_file():
        return _plan_project(folder, python, source_digest)
    raise BuildError(
        f"no Python app was found: the build looked for {LOOKED_FOR} in the source's root"
    )


def _plan_project(folder: Path, python: str | None, source_digest: str) -> PythonPlan:
    text, lock = _read(folder / "pyproject.toml"), _read(folder / "uv.lock")
    try:
        project = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BuildError(f"pyproject.toml is not TOML: {error}") from error
    if "project" not in project:
        raise BuildError(
            "pyproject.toml has no [project] table, so it says nothing to install: "
            f"the build looks for {LOOKED_FOR}"
        )
    settings = project.get("tool", {}).get("uv", {})
    package = _is_package(project, settings)
    local = package or "workspace" in settings or "sources" in settings
    if lock:
        install = ["sync", "--frozen", "--no-dev", "--no-editable"]
        install += [] if package else ["--no-install-project"]
    else:
        install = ["pip", "install", *(["."] if package else ["--requirements", "pyproject.toml"])]
    return PythonPlan(
        "uv.lock" if lock else "pyproject.toml",
        ("project", text, lock, source_digest if local else ""),
        tuple(install),
        python,
        _names_truegreen([text, lock]),
    )


def _is_package(project: dict[str, Any], settings: dict[str, Any]) -> bool:
    """As uv decides it: tool.uv.package, else whether there is a build system."""
    return bool(settings.get("package", "build-system" in project))


# -e, a path, or a file URL: then the environment depends on more than on these texts
_LOCAL = re.compile(r"(?m)^\s*(-e\b|--editable\b|\.{1,2}(/|\s|$|\[)|/)|file:|@\s*\.")
_INCLUDE = re.compile(r"(?m)^\s*(?:-r|-c|--requirements?|--constraints?)(?:\s+|=)(\S+)")


def _requirement_texts(path: Path, root: Path) -> list[str]:
    """The file and whatever it includes from the source, each once."""
    found: dict[Path, str] = {}
    waiting = [path]
    while waiting:
        file = waiting.pop().resolve()
        if file in found or not file.is_relative_to(root.resolve()) or not file.is_file():
            continue
        found[file] = _read(file)
        waiting += [file.parent / name for name in _INCLUDE.findall(found[file])]
    return [f"{file.relative_to(root.resolve())}\n{text}" for file, text in sorted(found.items())]


def _names_truegreen(texts: Sequence[str]) -> bool:
    return any(re.search(r"(?i)\btruegreen\b", text) for text in texts)


def _read(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.is_file() else ""
