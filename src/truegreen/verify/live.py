"""Runs the project's live suite in a process of its own, and nothing else."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_NEEDED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "SSL_CERT_FILE")
_TAIL = 64 * 1024  # bytes of output that are kept


@dataclass(frozen=True, slots=True)
class LiveRun:
    """How it ended. ``problem``: why it came to no end of its own, else empty."""

    code: int | None
    output: str
    problem: str = ""


def run_live(
    command: Sequence[str],
    root: Path,
    *,
    timeout: float,
    environ: Mapping[str, str],
    pass_env: Sequence[str],
    told: Mapping[str, str],
) -> LiveRun:
    """Runs ``command`` in ``root`` for at most ``timeout`` seconds; whatever it started is ended
    with it. ``told`` is added to its environment."""
    names = (*_NEEDED, *pass_env)
    env = {name: environ[name] for name in names if name in environ} | dict(told)
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                list(command),
                cwd=root,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return LiveRun(None, "", f"{command[0]} could not be started: {error.strerror}")
        problem = ""
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            problem = f"it did not end within {timeout:g} s"
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        size = output.seek(0, os.SEEK_END)
        output.seek(max(0, size - _TAIL))
        text = output.read().decode("utf-8", "replace")
    return LiveRun(process.returncode if not problem else None, text, problem)
