"""squawk over the SQL of each revision: https://squawkhq.com. Runs it, and reads what it says.

A file a revision: over all of them in one, every table would look new, and nothing be found.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truegreen.gates.migrations.child.observe import shown

TIMEOUT = 30.0  # seconds
# What a schema looks like, and what the release command sees to: no hazard of this very release.
_LEFT_OUT = (
    "prefer-robust-stmts",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-text-field",
    "prefer-timestamp-tz",
    "ban-char-field",
    "require-timeout-settings",
    "require-lock-timeout",
    "require-statement-timeout",
    "transaction-nesting",
)
_RULE_OF = {
    "adding-field-with-default": "table-rewrite",
    "adding-foreign-key-constraint": "blocking-scan",
    "adding-not-nullable-field": "blocking-scan",
    "adding-required-field": "fails",
    "adding-serial-primary-key-field": "table-rewrite",
    "ban-concurrent-index-creation-in-transaction": "fails",
    "ban-drop-column": "data-loss",
    "ban-drop-table": "data-loss",
    "ban-truncate-cascade": "data-loss",
    "changing-column-type": "table-rewrite",
    "constraint-missing-not-valid": "blocking-scan",
    "disallowed-unique-constraint": "index-build",
    "renaming-column": "breaks-serving",
    "renaming-table": "breaks-serving",
    "require-concurrent-index-creation": "index-build",
    "require-concurrent-index-deletion": "brief-lock",
    "syntax-error": "fails",
}


@dataclass(frozen=True, slots=True)
class Warned:
    """``name`` is squawk's rule, ``rule`` ours; ``line`` counts from 1 in the revision's SQL."""

    name: str
    rule: str
    message: str
    line: int
    statement: str


class LintFailed(Exception):
    """squawk is not there, or came to no answer."""


def lint(sql: Mapping[str, str]) -> dict[str, tuple[Warned, ...]]:
    """What squawk says of each revision's SQL. Raises LintFailed."""
    program = _program()
    if program is None:
        raise LintFailed("squawk is not installed (pip install squawk-cli)")
    with tempfile.TemporaryDirectory(prefix="truegreen-lint-") as folder:
        # A revision's id may be any text: files go by number.
        files = {f"{number}.sql": revision for number, revision in enumerate(sql)}
        for name, revision in files.items():
            Path(folder, name).write_text(sql[revision], encoding="utf-8")
        try:
            done = subprocess.run(
                [program, "--reporter", "json", f"--exclude={','.join(_LEFT_OUT)}", *files],
                cwd=folder,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
                stdin=subprocess.DEVNULL,
            )
            found = read_warnings(done.stdout)
        except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired) as error:
            raise LintFailed(f"squawk came to no answer: {type(error).__name__}") from error
    if done.returncode not in (0, 1):
        raise LintFailed(f"squawk ended with {done.returncode}")
    return {
        revision: tuple(_warned(one, sql[revision]) for one in found.get(name, ()))
        for name, revision in files.items()
    }


def read_warnings(output: bytes) -> dict[str, list[dict[str, Any]]]:
    """squawk's JSON by file. Raises ValueError, KeyError or TypeError for anything else."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in json.loads(output or b"[]"):
        found.setdefault(str(one["file"]), []).append(one)
    return found


def _warned(told: Mapping[str, Any], sql: str) -> Warned:
    name, line = str(told["rule_name"]), int(told["line"])
    rule = _RULE_OF.get(name, "lint")
    return Warned(name, rule, str(told["message"]), line + 1, shown(_at(sql, line)))


def _at(sql: str, line: int) -> str:
    """The statement around a line (from 0): Alembic puts an empty line between them."""
    lines = sql.splitlines()
    first = last = min(line, len(lines) - 1)
    while first > 0 and lines[first - 1].strip():
        first -= 1
    while last + 1 < len(lines) and lines[last + 1].strip():
        last += 1
    return "\n".join(lines[first : last + 1])


def _program() -> str | None:
    beside = Path(sys.executable).with_name("squawk")
    return str(beside) if beside.is_file() else shutil.which("squawk")
