"""Which processes are ours, written down so that the next start can end what a `kill -9` left.

A record names a process group by its leader's pid *and* start time, the machine's boot and the pid
namespace, so a foreign process that was given the same pid later is never touched. What left its
session with setsid is out of reach. Nothing here starts a process.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from truegreen.embedded.disk import is_full
from truegreen.embedded.proc_stat import PROC, ProcStat, read_stat

_log = logging.getLogger(__name__)
_DEAD = frozenset("ZX")


@dataclass(frozen=True)
class Mark:
    """A process group of ours. ``pid`` is its leader, its group and its session at once."""

    pid: int
    start: str
    where: str
    cwd: str


def started_at(pid: int) -> str | None:
    """A text that no later process with this pid repeats; None when the process is gone."""
    if stat := read_stat(pid):
        return stat.start
    if _has_proc():
        return None
    found = subprocess.run(  # macOS, BSD
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=5
    )
    return found.stdout.strip() or None


def group_alive(group: int) -> bool:
    """Does the process group hold a process that still runs? Zombies do not count."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody is there whom we may not signal, or (macOS) only zombies
    if not _has_proc():
        return True
    return any(s.group == group and s.state not in _DEAD for s in _all_stats())


def signal_group(group: int, number: int) -> None:
    """Send ``number`` to every process of the group; a group that is gone is fine."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


class Leftovers:
    """The list of our running groups, in one file, rewritten whole on every change.

    What the file held when this object was made belongs to a platform that is no more: ``reap``
    ends it. A file that cannot be read as a record counts as empty.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._old = tuple(_load(file))
        self._mine: dict[int, Mark] = {}

    def add(self, pid: int, cwd: Path) -> None:
        """Note a process that was just started as the leader of its own session in ``cwd``."""
        start = started_at(pid)
        if start is not None:
            self._mine[pid] = Mark(pid, start, _where(), str(cwd))
            self._save()

    def discard(self, pid: int) -> None:
        """The group of ``pid`` is gone."""
        if self._mine.pop(pid, None):
            self._save()

    async def reap(self, *, grace: float = 5.0) -> list[int]:
        """End every group an earlier platform left: SIGTERM, ``grace`` seconds, SIGKILL.

        Returns the leaders' pids of the groups that were still there.
        """
        import asyncio  # not above: `verify`, which only asks where a platform is, does without

        found = [mark for mark in self._old if members(mark)]
        for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
            for mark in found:
                _signal(mark, number)
            until = time.monotonic() + patience
            while any(members(mark) for mark in found) and time.monotonic() < until:
                await asyncio.sleep(0.05)
        self._old = tuple(mark for mark in found if members(mark))
        self._save()
        return [mark.pid for mark in found]

    def _save(self) -> None:
        marks = [asdict(mark) for mark in (*self._old, *self._mine.values())]
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_name(self._file.name + ".new")
        try:
            fresh.write_text(json.dumps(marks), encoding="utf-8")
            fresh.replace(self._file)
        except OSError as error:
            if not is_full(error):
                raise
            # what runs is not ended for it; the next change is written whole again
            _log.error("%s: not written, a kill -9 would leave processes: %s", self._file, error)


def members(mark: Mark) -> list[int]:
    """The pids that still run and are surely of the marked group; empty when in doubt."""
    if mark.where != _where():
        return []
    start = started_at(mark.pid)
    if start is not None and start != mark.start:
        return []  # the pid was given to somebody else: then the group is gone as well
    if not _has_proc():
        return [mark.pid] if start is not None else []
    return [
        s.pid
        for s in _all_stats()
        if s.group == mark.pid
        and s.session == mark.pid
        and s.state not in _DEAD
        # Without its leader a group could be a daemon's that came later: it must work in our folder
        and (start is not None or _works_in(s.pid, mark.cwd))
    ]


def _signal(mark: Mark, number: int) -> None:
    for pid in members(mark):
        with suppress(ProcessLookupError, PermissionError):
            if _has_proc():
                os.kill(pid, number)
            else:
                os.killpg(pid, number)


def _works_in(pid: int, folder: str) -> bool:
    try:
        # a folder that was deleted since reads as "/path (deleted)"
        cwd = str((PROC / str(pid) / "cwd").readlink()).removesuffix(" (deleted)")
    except OSError:
        return False
    return Path(cwd).is_relative_to(os.path.realpath(folder))


def _has_proc() -> bool:
    return (PROC / "self" / "stat").exists()


def _all_stats() -> Iterator[ProcStat]:
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (stat := read_stat(int(entry.name))):
            yield stat


def _where() -> str:
    """This boot of this machine, in this pid namespace: pids mean nothing anywhere else."""
    parts = []
    with suppress(OSError):
        parts.append((PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
    with suppress(OSError):
        parts.append(str((PROC / "self/ns/pid").readlink()))
    return " ".join(parts)


def _load(file: Path) -> Iterator[Mark]:
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    for entry in entries if isinstance(entries, list) else ():
        with suppress(TypeError, KeyError, ValueError):
            pid = int(entry["pid"])
            if pid > 1:
                yield Mark(pid, str(entry["start"]), str(entry["where"]), str(entry["cwd"]))
