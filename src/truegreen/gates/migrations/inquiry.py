"""Asks the child processes: starts them over a tree written out, feeds and ends them.

Revisions and env.py are code: they get what a process needs to start, the smoke suite's pins and a
scratch database, and none of the operator's secrets.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from truegreen.config import Config
from truegreen.errors import TrueGreenError

TIMEOUT = 60.0  # seconds for one child
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")
_CHILD = "truegreen.gates.migrations.child"


def child_environment(config: Config, environ: Mapping[str, str]) -> dict[str, str]:
    """What a child sees: the few variables that Python needs, and ``[smoke.env]``'s pins."""
    passed = {name: environ[name] for name in _PASSED_ON if name in environ}
    return {**config.smoke.env, **passed}


def ask(
    root: Path,
    question: Mapping[str, Any],
    environ: Mapping[str, str],
    *,
    database: Callable[[], str] | None = None,
    timeout: float = TIMEOUT,
) -> dict[str, Any]:
    """The child's answer about the revisions in ``root`` (see ``child.__main__``).

    ``database`` gives the scratch database's URL, and is called while the child works. A child that
    does not answer is a problem of kind ``unknown``. Raises what ``database`` raises.
    """
    folder = root.parent
    asked, answer = folder / "question.json", folder / "answer.json"
    asked.write_text(json.dumps(question), encoding="utf-8")
    answer.unlink(missing_ok=True)
    return _run([_CHILD, str(asked), str(answer)], root, answer, environ, database, timeout)


def metadata(
    root: Path, ini: str, environ: Mapping[str, str], *, timeout: float = TIMEOUT
) -> dict[str, Any]:
    """``{"tables", "error"}`` of the code in ``root`` (see ``child.metadata``)."""
    answer = root.parent / "metadata.json"
    answer.unlink(missing_ok=True)
    told = _run([f"{_CHILD}.metadata", ini, str(answer)], root, answer, environ, None, timeout)
    return told if "tables" in told else {"tables": None, "error": str(told["problem"])}


def _run(
    module: list[str],
    root: Path,
    answer: Path,
    environ: Mapping[str, str],
    database: Callable[[], str] | None,
    timeout: float,
) -> dict[str, Any]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", *module],
        cwd=root,
        env=dict(environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        url = _database(database)
        with contextlib.suppress(BrokenPipeError):
            process.communicate(url.encode() + b"\n", timeout)
    except subprocess.TimeoutExpired:
        return problem(f"Alembic did not load the revisions within {timeout:g} s")
    finally:
        _end(process)
    try:
        told: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        how = f"ended with exit {process.returncode}, without an answer"
        return problem(f"the process that loads the revisions {how}")
    return told


def _database(database: Callable[[], str] | None) -> str:
    """The URL; without a server ``!`` and why, which the child then says of its trace."""
    if database is None:
        return "!no database was given"
    try:
        return database()
    except TrueGreenError as error:
        return "!" + " ".join(error.message.split())


def problem(text: str, kind: str = "unknown", file: str = "") -> dict[str, Any]:
    return {"problem": text, "file": file, "kind": kind}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process with all that a revision may have started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
