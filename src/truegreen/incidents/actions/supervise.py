"""The process around a proof: closes its network, ends it in time, leaves nothing of it behind.

Run as a script of its own, with the standard library alone: reads one JSON job on standard input,
writes one JSON result on standard output. Whatever the proof forks, also out of its session, ends
up as a child of this process (Linux: PR_SET_CHILD_SUBREAPER, prctl(2)) and is killed by it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import IO, Any

# linux/prctl.h, linux/sched.h, linux/sockios.h, linux/if.h
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1
_KEPT = 32_768  # bytes of output that are kept, from its end
_LAST = 5.0  # seconds until what does not die of SIGKILL is given up


class _Ended(BaseException):
    """SIGTERM: whoever started us is gone, or wants us gone."""


def main() -> None:
    job = json.load(sys.stdin)
    signal.signal(signal.SIGTERM, _end)
    subreaper = _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    network = close_network() if job["close_network"] else "open"
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    result: dict[str, Any] = {"network": network, "exit": None, "timed_out": False, "error": ""}
    output = _Output()
    began = time.monotonic()
    process: subprocess.Popen[bytes] | None = None
    try:
        process = subprocess.Popen(
            job["arguments"],
            cwd=job["cwd"],
            env=job["env"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        output.follow(process.stdout)
        result["exit"] = process.wait(job["timeout"])
    except subprocess.TimeoutExpired:
        result["timed_out"] = True
    except OSError as error:
        result["error"] = f"{job['arguments'][0]}: {error.strerror}"
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        left, still = end_all(process, subreaper=subreaper)
    result.update(seconds=time.monotonic() - began, left=left, still=still)
    output.end()
    result.update(output=output.text(), digest=output.digest(), bytes=output.size)
    json.dump(result, sys.stdout)


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise _Ended


class _Output:
    """Reads all that is printed, keeps its end, hashes all of it."""

    def __init__(self) -> None:
        self.size = 0
        self._hash = hashlib.sha256()
        self._tail = b""
        self._thread: threading.Thread | None = None

    def follow(self, stream: IO[bytes]) -> None:
        self._thread = threading.Thread(target=self._read, args=(stream.fileno(),), daemon=True)
        self._thread.start()

    def _read(self, descriptor: int) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(descriptor, 65536):
                self.size += len(data)
                self._hash.update(data)
                self._tail = (self._tail + data)[-_KEPT:]

    def end(self) -> None:
        if self._thread is not None:
            self._thread.join(2.0)

    def text(self) -> str:
        return self._tail.decode("utf-8", "replace")

    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def end_all(process: subprocess.Popen[bytes] | None, *, subreaper: bool) -> tuple[int, int]:
    """Kills the proof's group and every process that descends from it. How many were still there
    besides the proof itself, and how many would not die."""
    if process is None:
        return 0, 0
    alive = process.poll() is None
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    found: set[int] = set()
    until = time.monotonic() + _LAST
    while True:
        there = descendants() if subreaper else set()
        found |= there
        for pid in there:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if alive and process.poll() is not None:
            alive = False
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        there = descendants() if subreaper else set()
        if (not there and not alive) or time.monotonic() > until:
            return len(found - {process.pid}), len(there)
        time.sleep(0.005)


def descendants() -> set[int]:
    """Every process below this one, as /proc has them now; zombies are left out."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if fields[0] != "Z":
                    parents[int(entry.name)] = int(fields[1])
    own, found = os.getpid(), set[int]()
    grown = True
    while grown:
        more = {pid for pid, up in parents.items() if up == own or up in found} - found
        found |= more
        grown = bool(more)
    return found


def close_network() -> str:
    """Moves this process into a network of its own, with loopback and nothing else. ``closed``, or
    ``open`` with the reason why this machine does not allow it."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        user, group = os.getuid(), os.getgid()
        if libc.unshare(_CLONE_NEWNET):
            if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            request = struct.pack("16sh14x", b"lo", 0)
            (flags,) = struct.unpack("16xh14x", fcntl.ioctl(own, _SIOCGIFFLAGS, request))
            fcntl.ioctl(own, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))
    except (OSError, AttributeError) as error:
        return f"open: {error}"
    return "closed"


def _prctl(option: int, value: int) -> bool:
    try:
        return bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


if __name__ == "__main__":
    main()
