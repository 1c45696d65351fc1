"""A child of the release command: nothing of its group outlives it."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from truegreen.release.process import TimedOut, run

STUBBORN = """\
import os, pathlib, signal, subprocess, sys, time
code = "import signal as s, time; s.signal(15, s.SIG_IGN); print(1, flush=True); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
child.stdout.readline()
pathlib.Path("pid").write_text(str(child.pid))
{ending}
"""
POLITE = """\
import pathlib, signal, sys, time
def end(*_):
    pathlib.Path("tidied").touch()
    sys.exit()
signal.signal(signal.SIGTERM, end)
time.sleep(600)
"""


def gone(pid: int) -> bool:
    """Whether ``pid`` ends; a zombie that nobody has collected yet has ended."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("ending", ["sys.exit(3)", "time.sleep(600)"])
def test_what_a_child_leaves_running_is_killed_even_if_it_ignores_sigterm(
    tmp_path: Path, ending: str
) -> None:
    argv = [sys.executable, "-c", STUBBORN.format(ending=ending)]
    if ending.startswith("sys"):
        assert run(argv, cwd=tmp_path, env=os.environ, timeout=60) == 3
    else:
        with pytest.raises(TimedOut):
            run(argv, cwd=tmp_path, env=os.environ, timeout=4)
    left = int((tmp_path / "pid").read_text())
    if not gone(left):
        os.kill(left, signal.SIGKILL)
        pytest.fail("it outlived its group's leader")


def test_a_child_that_is_out_of_time_may_tidy_up(tmp_path: Path) -> None:
    with pytest.raises(TimedOut, match="within 3 s"):
        run([sys.executable, "-c", POLITE], cwd=tmp_path, env=os.environ, timeout=3)
    assert (tmp_path / "tidied").exists()


def test_a_child_that_cannot_be_started_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        run([str(tmp_path / "nowhere")], cwd=tmp_path, env={}, timeout=5)


def test_a_signals_number_is_told(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    assert run(argv, cwd=tmp_path, env=os.environ, timeout=60) == -9
