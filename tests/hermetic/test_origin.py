"""Whose line a read was, on stacks made of code that claims to stand in other files."""

import collections
import contextlib
import functools
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

from truegreen.hermetic.origin import Place, Stack

PACKAGES = "/venv/lib/python3.11/site-packages"


def through(root: Path, *files: str) -> Place | None:
    """The place of a read at the end of calls through ``files``, the outermost first."""
    stack = Stack(root)

    def read() -> Place | None:
        return stack.place(sys._getframe(1))

    call: Callable[[], Any] = read
    for file in reversed(files):
        names: dict[str, Any] = {"call": call}
        code: CodeType = compile("def use():\n    return call()\n", file, "exec")
        exec(code, names)
        call = names["use"]
    found: Place | None = call()
    return found


@pytest.mark.parametrize(
    "library",
    [
        "environs/__init__.py",
        "environ/environ.py",
        "decouple.py",
        "dotenv/main.py",
        "pydantic_settings/main.py",
        "dj_database_url/__init__.py",
    ],
)
def test_a_library_that_reads_for_its_caller_is_not_the_reader(
    tmp_path: Path, library: str
) -> None:
    found = through(tmp_path, str(tmp_path / "conf.py"), f"{PACKAGES}/{library}")
    assert found == ("conf.py", 2, "", "")


def test_a_library_that_reads_of_its_own_accord_is_named(tmp_path: Path) -> None:
    for file in (f"{PACKAGES}/celery/app.py", f"{PACKAGES}/environ/x.py"):
        found = through(tmp_path, str(tmp_path / "app.py"), f"{PACKAGES}/celery/a.py", file)
        assert found == ("app.py", 2, "celery", "")


@pytest.mark.parametrize("module", [os, collections, contextlib, functools])
def test_the_standard_library_passes_a_read_on_for_its_caller(
    tmp_path: Path, module: ModuleType
) -> None:
    """Python runs ``os`` frozen, as a rule; where it does not, its file is in the way."""
    assert module.__file__ is not None
    found = through(tmp_path, str(tmp_path / "app.py"), module.__file__)
    assert found == ("app.py", 2, "", "")


def test_what_the_standard_library_wants_for_itself_is_its_own(tmp_path: Path) -> None:
    found = through(tmp_path, str(tmp_path / "app.py"), tempfile.__file__)
    assert found == ("app.py", 2, "tempfile", "")


def test_what_pytest_reads_is_nobodys_whoever_called_it(tmp_path: Path) -> None:
    assert through(tmp_path, str(tmp_path / "app.py"), f"{PACKAGES}/_pytest/main.py") is None


def test_code_outside_of_the_root_is_not_the_users(tmp_path: Path) -> None:
    assert through(tmp_path / "service", str(tmp_path / "elsewhere.py")) is None
