"""All of a plan is written or nothing, whoever ends it and when."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from truegreen.errors import Refused, UsageError
from truegreen.init.apply import alone, begun, take_back, write
from truegreen.init.plan import Change

from .repositories import snapshot

CHANGES = (
    Change("docs/incidents/README.md", None, b"one\n"),
    Change("truegreen.toml", None, b"two\n"),
    Change("Procfile", b"web: x\n", b"release: y\nweb: x\n"),
)
# Ends itself, without any goodbye, before the n-th file is put in its place.
KILLED = """
import os, signal, sys
from pathlib import Path
from truegreen.init import apply
sys.path.insert(0, {tests!r})
n, put = int(sys.argv[1]), apply._write
def counted(top, change):
    global n
    if n == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    n -= 1
    put(top, change)
apply._write = counted
from truegreen.init.plan import Change
root = Path({root!r})
with apply.alone(root):
    apply.write(root, root, {changes!r})
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Procfile").write_bytes(b"web: x\n")
    return tmp_path


def test_all_of_it_is_there_afterwards_and_no_journal(root: Path) -> None:
    with alone(root):
        write(root, root, CHANGES)
    assert snapshot(root) == {one.path: one.new for one in CHANGES}
    assert not begun(root)


@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_kill_in_the_middle_is_taken_back_by_the_next_run(root: Path, done: int) -> None:
    before = snapshot(root)
    script = KILLED.format(tests=str(Path(__file__).parent), root=str(root), changes=CHANGES)
    ended = subprocess.run([sys.executable, "-c", script, str(done)], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert begun(root)
    for one in CHANGES[done:]:
        path = root / one.path
        assert (path.read_bytes() if path.exists() else None) == one.old
    with alone(root):
        assert snapshot(root) == before
        assert not (root / "docs").exists()
        write(root, root, CHANGES)
    assert snapshot(root) == {one.path: one.new for one in CHANGES}


def test_what_somebody_wrote_after_the_kill_is_not_taken_back(root: Path) -> None:
    script = KILLED.format(tests=str(Path(__file__).parent), root=str(root), changes=CHANGES)
    subprocess.run([sys.executable, "-c", script, "2"], check=False, timeout=60)
    (root / "truegreen.toml").write_bytes(b"a person's\n")
    assert take_back(root) == (str(root / "docs/incidents/README.md"),)
    assert (root / "truegreen.toml").read_bytes() == b"a person's\n"


def test_a_file_that_changed_or_appeared_since_it_was_read_stops_all_of_it(root: Path) -> None:
    (root / "Procfile").write_bytes(b"web: other\n")
    before = snapshot(root)
    with alone(root), pytest.raises(UsageError, match="Procfile was changed meanwhile"):
        write(root, root, CHANGES)
    assert snapshot(root) == before
    (root / "truegreen.toml").write_bytes(b"theirs\n")
    with alone(root), pytest.raises(UsageError, match=r"truegreen\.toml has appeared"):
        write(root, root, CHANGES)
    assert snapshot(root) == {**before, "truegreen.toml": b"theirs\n"}


def test_two_at_once_is_one(root: Path) -> None:
    with alone(root), pytest.raises(Refused, match="another truegreen init"), alone(root):
        pass


def test_the_mode_of_a_file_that_is_edited_stays(root: Path) -> None:
    (root / "Procfile").chmod(0o640)
    with alone(root):
        write(root, root, CHANGES)
    assert (root / "Procfile").stat().st_mode & 0o777 == 0o640
    assert not [path for path in root.rglob(".truegreen-init.*") if path.is_file()]
    assert (root / "truegreen.toml").stat().st_mode & 0o400
