"""What Linux says of one process. Where there is no /proc, it says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")


class ProcStat(NamedTuple):
    """What /proc/PID/stat says (proc(5)): ``start`` is in clock ticks since boot."""

    pid: int
    state: str
    group: int
    session: int
    start: str


def read_stat(pid: int) -> ProcStat | None:
    """The process as Linux's /proc shows it now; None when it is gone or there is no /proc."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name may hold blanks and parentheses
    if len(fields) < 20:
        return None
    return ProcStat(pid, fields[0], int(fields[2]), int(fields[3]), fields[19])
