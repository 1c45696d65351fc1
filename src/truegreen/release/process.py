"""Runs one child of the release command: its output goes straight through, its group dies with it.

Knows processes only. Nothing is captured, so a child that prints 100 MB costs no memory here.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

GRACE = 5.0  # seconds between SIGTERM and SIGKILL, inside the 30 that Heroku gives a dyno


class TimedOut(Exception):
    """The child did not end in ``seconds``; its process group was killed."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"did not end within {seconds:g} s and was killed")


def run(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float) -> int:
    """The exit status of ``argv``; negative is the signal that ended it.

    ``timeout`` in seconds. The child leads its own process group; whatever ends this function
    (exceptions from a signal handler too), nothing of that group is left. Raises TimedOut, and
    OSError when it cannot be started.
    """
    child = subprocess.Popen(
        argv, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        return child.wait(timeout)
    except subprocess.TimeoutExpired:
        raise TimedOut(timeout) from None
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        _signal(child.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(GRACE)
    _signal(child.pid, signal.SIGKILL)  # what its children left running, too
    child.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
