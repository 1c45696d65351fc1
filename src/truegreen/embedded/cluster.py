"""What stands in a Postgres data folder and beside it, and which processes work on it.

Reads, writes small files, sends signals; starting and asking the server is postgres.py's.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

CLUSTER = "cluster"
"""The data folder's name, inside the platform's own folder for Postgres."""

STOP = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
"""Signals for "fast", "immediate" and neither, each with the seconds to wait (postgres(1))."""

_PROC = Path("/proc")


def pid_file(cluster: Path) -> list[str]:
    """Lines of postmaster.pid: pid, data folder, start, port, …; the eighth is the status."""
    try:
        text = (cluster / "postmaster.pid").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    return [line.strip() for line in text.splitlines()]


def servers(cluster: Path) -> list[int]:
    """Every process of a Postgres server that works on this folder, backends too.

    A server's working folder is its data folder, and its program is ``postgres``: a process that
    was given an old pid, or a shell in that folder, is none. Backends have sessions of their own,
    so no process group would find them. Without /proc: the main process only.
    """
    if (_PROC / "self").exists():
        entries = [entry for entry in _PROC.iterdir() if entry.name.isdigit()]
        return [int(entry.name) for entry in entries if _is_server(entry, cluster)]
    lines = pid_file(cluster)
    if not lines or not lines[0].isdigit():
        return []
    shown = subprocess.run(
        ["ps", "-o", "command=", "-p", lines[0]], capture_output=True, text=True, timeout=10
    )
    return [int(lines[0])] if f"postgres -D {cluster}" in shown.stdout else []


async def end_servers(cluster: Path) -> None:
    """Stop every server process on this folder: fast, then immediately, then by SIGKILL.

    Then a pid file that is left is removed: Postgres would take another program that was given
    that pid for a running server.
    """
    found = await asyncio.to_thread(servers, cluster)
    for number, patience in STOP:
        until = time.monotonic() + patience
        _signal(found, number)
        while found and time.monotonic() < until:
            await asyncio.sleep(0.02)
            found = await asyncio.to_thread(servers, cluster)
    if not found:
        (cluster / "postmaster.pid").unlink(missing_ok=True)


def write_secret(file: Path, text: str) -> None:
    """Write an ASCII text that only we may read; the file is never readable to others meanwhile."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as opened:
        opened.write(text)
    fresh.replace(file)


class Passwords:
    """Names and passwords in one file that only we may read."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> dict[str, str]:
        """Empty when there is no file. Raises ValueError when it holds something else."""
        try:
            found = json.loads(self._file.read_text(encoding="ascii"))
        except FileNotFoundError:
            return {}
        if not isinstance(found, dict):
            raise ValueError(f"{self._file} is not what was written there: remove it")
        return {str(name): str(password) for name, password in found.items()}

    def set(self, name: str, password: str) -> None:
        write_secret(self._file, json.dumps({**self.read(), name: password}))

    def forget(self, name: str) -> None:
        kept = {key: value for key, value in self.read().items() if key != name}
        write_secret(self._file, json.dumps(kept))


def _is_server(entry: Path, cluster: Path) -> bool:
    try:
        program = str((entry / "exe").readlink()).removesuffix(" (deleted)")
        return program.endswith("/postgres") and (entry / "cwd").samefile(cluster)
    except OSError:
        return False


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
