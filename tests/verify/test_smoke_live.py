"""The project's live suite: what it says counts, and silence does not."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from truegreen.config.observing import Live
from truegreen.model import Status, Verdict
from truegreen.verify.live import LiveRun, run_live
from truegreen.verify.observers.smoke_live import decide

from .scene import NEW, Scene, release

PYTEST = ("pytest", "tests/live")


@pytest.mark.parametrize(
    ("run", "command", "status"),
    [
        (LiveRun(0, "== 3 passed in 0.1s ==\n"), PYTEST, Status.PASS),
        (LiveRun(0, "== 3 skipped in 0.1s ==\n"), PYTEST, Status.UNKNOWN),
        (LiveRun(5, "no tests ran\n"), PYTEST, Status.UNKNOWN),
        (LiveRun(1, "== 1 failed, 2 passed in 0.1s ==\n"), PYTEST, Status.FAIL),
        (LiveRun(0, "fine\n"), ("./live.sh",), Status.PASS),
        (LiveRun(5, "five\n"), ("./live.sh",), Status.FAIL),
        (LiveRun(-9, ""), ("./live.sh",), Status.FAIL),
        (LiveRun(None, "", "it did not end within 5 s"), PYTEST, Status.UNKNOWN),
    ],
)
def test_how_it_ended_is_what_is_told(
    run: LiveRun, command: tuple[str, ...], status: Status
) -> None:
    assert decide(run, command).status is status


def test_it_finds_the_app_and_gets_no_token(tmp_path: Path) -> None:
    show = "import os, json; print(json.dumps(dict(os.environ)))"
    run = run_live(
        (sys.executable, "-c", show),
        tmp_path,
        timeout=30,
        environ={"PATH": "/usr/bin", "HEROKU_API_KEY": "s3cret", "LIVE_USER": "u"},
        pass_env=("LIVE_USER",),
        told={"TRUEGREEN_APP_URL": "http://x"},
    )
    assert run.code == 0
    assert "s3cret" not in run.output
    assert '"TRUEGREEN_APP_URL": "http://x"' in run.output
    assert '"LIVE_USER": "u"' in run.output


def test_one_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    child = f"import time; time.sleep(3); open({str(mark)!r}, 'w')"
    script = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        "time.sleep(60)\n"
    )
    run = run_live(
        (sys.executable, "-c", script), tmp_path, timeout=1, environ={}, pass_env=(), told={}
    )
    assert (run.code, run.problem) == (None, "it did not end within 1 s")
    time.sleep(3.5)
    assert not mark.exists()


def test_a_command_that_is_not_there_is_unknown_and_named(tmp_path: Path) -> None:
    run = run_live(("./missing",), tmp_path, timeout=5, environ={}, pass_env=(), told={})
    assert "./missing could not be started" in run.problem


def test_it_is_run_only_against_the_release_in_question(scene: Scene) -> None:
    ran: list[tuple[str, str]] = []

    def live(url: str, commit: str) -> LiveRun:
        ran.append((url, commit))
        return LiveRun(0, "1 passed in 0.1s")

    scene.live = live
    scene.change(live=Live(command=PYTEST), required=("smoke.live",))
    assert scene.verify().verdict is Verdict.GREEN
    assert ran == [("http://e.localhost:2", NEW)]
    scene.releases = [release(3, 3), release(2, 2, current=True), release(1, None)]
    assert scene.verify().verdict is Verdict.UNVERIFIED
    assert len(ran) == 1
