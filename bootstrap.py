#!/usr/bin/env python3
"""Runs a command in this checkout's locked environment, on a machine with only Python and git.

    python3 bootstrap.py truegreen ship examples/raptor
    python3 bootstrap.py pytest

Takes uv from PATH, or gets it from PyPI into .truegreen/bootstrap (nothing is installed into the
system's Python, so PEP 668 does not stand in the way), and hands over to `uv run` with uv.lock.
Standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PLACE = ROOT / ".truegreen" / "bootstrap"
UV = "uv>=0.9,<1"


def find_uv() -> str:
    """uv's path; it is got from PyPI when it is not on PATH."""
    on_path = shutil.which("uv")
    if on_path:
        return on_path
    ours = PLACE / "bin" / "uv"
    if not works(ours):
        shutil.rmtree(PLACE, ignore_errors=True)
        PLACE.parent.mkdir(parents=True, exist_ok=True)
        print("bootstrap: getting uv from PyPI …", file=sys.stderr)
        if not (by_venv() or by_target()):
            sys.exit(
                "bootstrap: neither `python3 -m venv` nor `python3 -m pip` works here; "
                "install one of them (Debian: apt install python3-venv), or uv itself"
            )
        if not works(ours):
            sys.exit(f"bootstrap: uv was installed and does not run: {ours}")
    return str(ours)


def works(uv: Path) -> bool:
    return uv.is_file() and quietly([str(uv), "--version"])


def by_venv() -> bool:
    """Into a virtual environment of its own."""
    if not quietly([sys.executable, "-m", "venv", str(PLACE)]):
        shutil.rmtree(PLACE, ignore_errors=True)
        return False
    return install([str(PLACE / "bin" / "python"), "-m", "pip"])


def by_target() -> bool:
    """Into a folder: pip allows --target in a system that is managed from outside (PEP 668)."""
    return install([sys.executable, "-m", "pip"], "--target", str(PLACE))


def install(pip: list[str], *where: str) -> bool:
    command = [*pip, "install", "--quiet", "--disable-pip-version-check", *where, UV]
    done = subprocess.run(command, stdout=sys.stderr, check=False)
    return done.returncode == 0


def quietly(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def packages_for(program: str) -> list[str]:
    """What to install first: to ship the example needs no linters and no browser.

    uv only adds here, so a checkout that has everything keeps it.
    """
    if program == "truegreen":
        return ["--no-dev", "--group", "example", "--extra", "ops", "--extra", "scan"]
    return ["--all-extras"]


def main(command: list[str]) -> None:
    if not command:
        sys.exit(__doc__)
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is run by whatever Python there is
        sys.exit(f"bootstrap: Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
    environment = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
    uv = find_uv()
    arguments = ["run", "--project", str(ROOT), "--python", sys.executable, "--frozen", "--quiet"]
    arguments += [*packages_for(command[0]), "--", *command]
    os.execve(uv, [uv, *arguments], environment)


if __name__ == "__main__":
    main(sys.argv[1:])
