"""The folder of a proof: what a kill left goes, what is in use stays."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from truegreen.hermetic.prove.folder import LOCK, PREFIX, own_folder

HOLDS = """\
import sys, time
from truegreen.hermetic.prove.folder import own_folder
with own_folder() as folder:
    (folder / "big").write_text("x")
    print(folder, flush=True)
    time.sleep(120)
"""


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def test_one_in_use_stays_and_what_a_kill_left_is_removed_by_the_next() -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDS], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    try:
        held = Path(holder.stdout.readline().strip())
        with own_folder() as mine:
            assert held.is_dir()
            assert mine != held
        assert not mine.exists()
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        holder.stdout.close()
    assert (held / "big").exists()
    with own_folder():
        assert not held.exists()


def test_what_is_not_known_to_be_nobodys_stays(tmp_path: Path) -> None:
    begun = tmp_path / f"{PREFIX}begun"  # made a moment ago, not locked yet
    begun.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / LOCK).touch()
    (tmp_path / f"{PREFIX}link").symlink_to(elsewhere)
    with own_folder():
        pass
    assert begun.is_dir()
    assert (elsewhere / LOCK).exists()
