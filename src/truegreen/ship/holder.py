"""Who runs: a process as others can name it, and as this machine can prove that it ended."""

from __future__ import annotations

import getpass
import os
import socket
import uuid
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")


class Holder(NamedTuple):
    """``id`` is unique to one run. ``process`` names the process among all that this machine ran
    since it was started; empty where the system cannot tell (then its end is never proven)."""

    id: str
    owner: str  # user@host
    pid: int
    process: str

    @classmethod
    def here(cls) -> Holder:
        """This process, as the holder of one run."""
        host = socket.gethostname()
        return cls(f"{host}-{os.getpid()}-{uuid.uuid4().hex[:12]}", f"{_user()}@{host}",
                   os.getpid(), process_name(os.getpid()))  # fmt: skip


def process_name(pid: int, proc: Path = _PROC) -> str:
    """``boot/namespace/pid/start``: boot id, pid namespace, pid, start time in clock ticks.

    A pid is used again, in time, and means another process in another container; the four
    together do not. proc(5), random(4).
    """
    try:
        boot = (proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = str((proc / "self/ns/pid").readlink())
        start = _stat(pid, proc)[1]
    except (OSError, ValueError, IndexError):
        return ""
    return f"{boot}/{namespace}/{pid}/{start}"


def has_ended(process: str, proc: Path = _PROC) -> bool:
    """True only when it is proven: same boot, same pid namespace, and no such process any more."""
    parts = process.split("/")
    if len(parts) != 4 or not parts[2].isdigit():
        return False
    ours = process_name(os.getpid(), proc).split("/")
    if ours[:2] != parts[:2]:
        return False
    try:
        state, start = _stat(int(parts[2]), proc)
    except FileNotFoundError:
        return True
    except (OSError, ValueError, IndexError):
        return False
    return start != parts[3] or state in ("Z", "X")


def _stat(pid: int, proc: Path) -> tuple[str, str]:
    """State and start time. The command's name is in brackets and may hold blanks."""
    text = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    fields = text.rpartition(")")[2].split()
    return fields[0], fields[19]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a uid without a name, as containers have them
        return str(os.getuid())
