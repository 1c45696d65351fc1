"""Writing a refreshed list: in one step, keeping what is the file's own, whatever interrupts it."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from truegreen.errors import UsageError
from truegreen.guard import Ranges
from truegreen.guard.ranges import RangesError, edges
from truegreen.guard.refresh import Change, apply

SHIPPED = json.loads((edges() / "cloudflare.json").read_text())["networks"]
CHANGE = Change((), (), tuple(SHIPPED), "2026-03-01")


def test_a_replaced_file_keeps_what_is_its_own(tmp_path: Path) -> None:
    file, link = tmp_path / "real.json", tmp_path / "link.json"
    file.write_text(json.dumps({"networks": SHIPPED, "date": "2026-01-01", "max_age_days": 30}))
    file.chmod(0o640)
    link.symlink_to(file)
    apply(link, CHANGE, edge="cloudflare", urls=["https://a", "https://b"])
    written = json.loads(file.read_text())
    assert (link.is_symlink(), file.stat().st_mode & 0o777) == (True, 0o640)
    assert (written["max_age_days"], written["source"]) == (30, "https://a https://b")
    assert written["date"] == "2026-03-01"


def test_a_new_file_can_be_read_by_others_and_grows_old(tmp_path: Path) -> None:
    file, undated = tmp_path / "edge.json", tmp_path / "ours.json"
    apply(file, CHANGE, edge="cloudflare", urls=[])
    assert (file.stat().st_mode & 0o777, Ranges.load(file).date) == (0o644, "2026-03-01")
    undated.write_text(json.dumps({"networks": SHIPPED}))
    apply(undated, CHANGE, edge="cloudflare", urls=[])
    assert Ranges.load(undated).age_days(0.0) is not None


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "edge.json"
    for networks in ((), ("nonsense",)):
        with pytest.raises(RangesError):
            apply(file, Change((), (), networks, "2026-03-01"), edge="cloudflare", urls=[])
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fails_leaves_the_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "edge.json"
    file.write_text(json.dumps({"networks": SHIPPED}))
    before = file.read_bytes()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UsageError, match=r"edge\.json cannot be written"):
        apply(file, CHANGE, edge="cloudflare", urls=[])
    assert (file.read_bytes(), list(tmp_path.iterdir())) == (before, [file])


KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from truegreen.guard.refresh import Change, apply
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)  # written, and not yet in its place
change = Change((), (), ("104.16.0.0/13",), "2026-03-01")
apply(Path(sys.argv[1]), change, edge="cloudflare", urls=[])
"""


def test_a_refresh_that_is_killed_leaves_the_last_known_good(tmp_path: Path) -> None:
    file = tmp_path / "edge.json"
    file.write_text(json.dumps({"networks": SHIPPED}))
    script = [sys.executable, "-c", KILLED_WHILE_WRITING, str(file)]
    code = subprocess.run(script, timeout=60).returncode
    assert (code, Ranges.load(file).size) == (-signal.SIGKILL, 22)
    (beside,) = tmp_path.glob(".edge.json.*")  # on the same disk, or it could not be put in place
    assert json.loads(beside.read_text())["networks"] == ["104.16.0.0/13"]
    apply(file, CHANGE, edge="cloudflare", urls=[])
    assert beside.exists()  # as if another were writing it now
    others = [tmp_path / name for name in (".edge.json.bak", ".edge.jsonx.1.new", "edge.json.new")]
    for one in (beside, *others):
        one.touch()
        os.utime(one, (0, 0))
    apply(file, CHANGE, edge="cloudflare", urls=[])
    assert sorted(tmp_path.iterdir()) == sorted([file, *others])


def test_who_reads_during_two_refreshes_sees_a_whole_list(tmp_path: Path) -> None:
    file = tmp_path / "edge.json"
    small, large = (
        Change((), (), tuple(networks), "2026-03-01") for networks in (SHIPPED[:9], SHIPPED)
    )
    apply(file, small, edge="cloudflare", urls=[])

    def again(change: Change) -> None:
        for _ in range(30):
            apply(file, change, edge="cloudflare", urls=[])

    writers = [threading.Thread(target=again, args=(one,)) for one in (small, large)]
    for one in writers:
        one.start()
    while any(one.is_alive() for one in writers):
        assert Ranges.load(file).size in {9, 22}
    assert list(tmp_path.iterdir()) == [file]
