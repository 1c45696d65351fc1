"""The migrations gate: has the code that would be shipped exactly one Alembic head?

Asks Alembic in a process of its own (see ``heads``), over the tree at HEAD, written out to a
folder that is removed afterwards; no database. What a migration *does* is not looked at here.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from truegreen.config import Config
from truegreen.gates.head_tree import HeadTree
from truegreen.gates.result import Finding, GateResult
from truegreen.model import Status

NAME = "migrations"
TIMEOUT = 60.0  # seconds for Alembic to load every revision
# Revisions are code: they get what a process needs to start, and none of the operator's secrets.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")


def one_head(
    config: Config,
    now: datetime,
    *,
    environ: Mapping[str, str],
    commit: str = "HEAD",
    timeout: float = TIMEOUT,
) -> GateResult:
    """Whether the revisions of ``commit`` have exactly one head.

    fail: none, several, a cycle, a parent that is missing, a file that does not load. unknown: a
    module that a revision imports is not installed here, or Alembic did not answer within
    ``timeout`` seconds. Raises UsageError where git has no such tree.
    """
    if config.release.migrate == "none":
        return GateResult(NAME, Status.PASS, "no migrations are configured (release.migrate)", now)
    tree = HeadTree.of(config.root, commit)
    with tempfile.TemporaryDirectory(prefix="truegreen-migrations-") as folder:
        root = Path(folder).resolve() / "tree"
        tree.export(root)
        if not (root / config.release.alembic_ini).is_file():
            answer = _problem(f"there is no {config.release.alembic_ini}", "fail")
        else:
            answer = _ask(root, config.release.alembic_ini, environ, timeout)
    return decide(answer, now, tree.source)


def decide(answer: Mapping[str, Any], now: datetime, source: str) -> GateResult:
    """The gate's answer, from what ``heads`` found out. Pure."""
    if "problem" in answer:
        file, problem = str(answer["file"]), str(answer["problem"])
        reason = f"{file}: {problem}" if file else problem
        if answer["kind"] == "unknown":
            clears = "install what is missing beside truegreen, or run the gate where it is"
            return GateResult(NAME, Status.UNKNOWN, reason, now, clears, source=source)
        found = (Finding("revision", file or source, problem),)
        return GateResult(NAME, Status.FAIL, reason, now, "correct it, and commit", found, source)
    heads = [(str(head), str(file)) for head, file in answer["heads"]]
    if len(heads) == 1:
        return GateResult(NAME, Status.PASS, f"one head, {heads[0][0]}", now, source=source)
    if not heads:
        return GateResult(
            NAME,
            Status.FAIL,
            "migrations are configured, and there is not one revision",
            now,
            "commit the revisions, or set release.migrate to none",
            source=source,
        )
    names = ", ".join(head for head, _ in heads)
    return GateResult(
        NAME,
        Status.FAIL,
        f"{len(heads)} heads: {names}",
        now,
        "make them one: alembic merge heads, or give one the other as its down_revision",
        tuple(Finding("head", file, head) for head, file in heads),
        source,
    )


def _ask(root: Path, ini: str, environ: Mapping[str, str], timeout: float) -> dict[str, Any]:
    answer = root.parent / "answer.json"
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "truegreen.gates.migrations.heads", ini, str(answer)],
        cwd=root,
        env={name: environ[name] for name in _PASSED_ON if name in environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        return _problem(f"Alembic did not load the revisions within {timeout:g} s", "unknown")
    finally:
        _end(process)
    try:
        told: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        how = f"ended with exit {process.returncode}, without an answer"
        return _problem(f"the process that loads the revisions {how}", "unknown")
    return told


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process with all that a revision may have started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _problem(text: str, kind: str) -> dict[str, Any]:
    return {"problem": text, "file": "", "kind": kind}
