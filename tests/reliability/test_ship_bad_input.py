"""Ship and verify against bad input: a sentence, the right exit code, nothing left running."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from tiny_service import APP, RELEASE, Done, Tiny

from truegreen.embedded.locate import find_running
from truegreen.heroku import HerokuClient

pytestmark = pytest.mark.platform


def check(done: Done, name: str) -> tuple[str, str]:
    found = next(c for c in done.document["checks"] if c["name"] == name)
    return found["status"], found["observed"]


def ship(tiny: Tiny, *options: str, **env: str) -> Done:
    return tiny.run("ship", "--json", *options, env=env)


def wait_until(true: Any, seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


def test_the_same_commit_twice_is_built_once_and_says_so(tiny: Tiny) -> None:
    first = ship(tiny)
    assert (first.code, first.document["verdict"]) == (0, "green"), first
    second = ship(tiny)
    assert second.code == 0
    assert second.document["release"] == first.document["release"]
    assert any("not built again" in note for note in second.document["notes"])
    assert any("not released again" in note for note in second.document["notes"])


def test_a_dirty_tree_ships_what_is_committed_and_says_what_is_left_out(tiny: Tiny) -> None:
    (tiny.root / "app.py").write_text("raise SystemExit(1)\n")
    (tiny.root / "notes.txt").write_text("mine\n")
    done = ship(tiny)
    assert done.code == 0
    assert "left out: app.py, notes.txt" in done.err


def test_no_repository_is_a_usage_error(tiny: Tiny) -> None:
    (tiny.root / ".git").rename(tiny.root.parent / "gone")
    done = ship(tiny)
    assert (done.code, done.out) == (2, "")
    assert "not in a git repository" in done.err


@pytest.mark.parametrize(
    ("text", "says"), [("", "is empty"), ("[servce]\n", "did you mean service")]
)
def test_a_bad_configuration_is_a_usage_error_and_starts_nothing(
    tiny: Tiny, text: str, says: str
) -> None:
    tiny.commit({"truegreen.toml": text})
    done = ship(tiny)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert not tiny.data.exists()


def test_without_a_procfile_the_build_fails_and_the_verdict_is_red(tiny: Tiny) -> None:
    tiny.commit({"Procfile": None})
    done = ship(tiny)
    assert (done.code, done.document["verdict"]) == (1, "red")
    assert check(done, "build.succeeded")[0] == "fail"
    assert "build.succeeded" in done.document["sentence"]


def test_without_a_web_process_nothing_serves_and_the_verdict_is_red(tiny: Tiny) -> None:
    tiny.commit({"Procfile": "worker: python app.py\n"})
    done = ship(tiny)
    assert (done.code, done.document["verdict"]) == (1, "red")
    assert check(done, "code.dynos") == ("fail", "the formation wants no dynos")


def test_requirements_that_cannot_be_installed_fail_the_build(tiny: Tiny) -> None:
    tiny.commit({"requirements.txt": "./no-such-folder-here\n"})
    done = ship(tiny)
    assert (done.code, done.document["verdict"]) == (1, "red")
    assert check(done, "build.succeeded")[0] == "fail"


def test_a_web_process_that_dies_at_once_is_red(tiny: Tiny) -> None:
    tiny.commit({"app.py": "raise SystemExit('no')\n"})
    done = ship(tiny)
    assert (done.code, done.document["verdict"]) == (1, "red")
    assert check(done, "code.dynos") == ("fail", "web.1 is crashed")


def test_a_web_process_that_dies_later_is_seen_by_the_next_verify(tiny: Tiny) -> None:
    killer = "import threading, os\nthreading.Timer(6, os._exit, [1]).start()\n"
    tiny.commit({"app.py": killer + APP})
    assert ship(tiny).code == 0
    wait_until(lambda: tiny.status()["apps"][0]["dynos"][0]["state"] == "crashed")
    done = tiny.run("verify", "--json")
    assert done.code == 1
    assert check(done, "code.dynos") == ("fail", "web.1 is crashed")
    assert check(done, "health.edge")[0] == "fail"


def test_a_web_process_that_never_binds_is_red(tiny: Tiny) -> None:
    tiny.commit({"app.py": "import time\ntime.sleep(600)\n"})
    tiny.run("platform", "serve", "--background")
    assert tiny.run("platform", "set", "boot-timeout=3").code == 0
    done = ship(tiny)
    assert (done.code, done.document["verdict"]) == (1, "red")
    assert check(done, "code.dynos") == ("fail", "web.1 is crashed")


def test_a_release_command_that_hangs_is_unverified_when_our_patience_ends(tiny: Tiny) -> None:
    settings = (tiny.root / "truegreen.toml").read_text() + "[release]\ntimeout = 3\n"
    tiny.commit({"release.py": "import time\ntime.sleep(600)\n", "truegreen.toml": settings})
    done = ship(tiny)
    assert (done.code, done.document["verdict"]) == (3, "unverified")
    assert check(done, "release.command")[0] == "unknown"
    assert "still pending" in done.document["sentence"]


def test_a_release_command_that_hangs_is_red_when_the_platform_ends_it(tiny: Tiny) -> None:
    tiny.commit({"release.py": "import time\ntime.sleep(600)\n"})
    tiny.run("platform", "serve", "--background")
    assert tiny.run("platform", "set", "release-timeout=2").code == 0
    done = ship(tiny)
    assert (done.code, done.document["verdict"]) == (1, "red")
    assert check(done, "release.command")[0] == "fail"


def test_a_release_command_that_prints_30_mb_keeps_its_report(tiny: Tiny) -> None:
    flood = "import sys\nfor _ in range(30):\n    sys.stdout.write(('x' * 99 + '\\n') * 10486)\n"
    tiny.commit({"release.py": flood + RELEASE})
    done = ship(tiny)
    assert done.code == 0, (done.code, done.err)
    assert check(done, "release.report")[0] == "pass"


def test_a_release_command_that_fails_without_a_report_is_red(tiny: Tiny) -> None:
    tiny.commit({"release.py": "raise SystemExit(7)\n"})
    done = ship(tiny)
    assert done.code == 1
    assert check(done, "release.command")[0] == "fail"
    assert check(done, "release.report")[0] == "unknown"
    again = ship(tiny)
    assert again.code == 1
    assert again.document["release"]["version"] == done.document["release"]["version"] + 1
    assert any("not built again" in note for note in again.document["notes"])


def test_a_wrong_token_is_a_usage_error_of_ship_and_unverified_for_verify(tiny: Tiny) -> None:
    tiny.run("platform", "serve", "--background")
    api = tiny.status()["api"]
    done = ship(tiny, "--platform", api, HEROKU_API_KEY="t0ken-of-another")
    assert (done.code, done.out) == (2, "")
    assert "401" in done.err
    asked = tiny.run(
        "verify", "--json", "--platform", api, env={"HEROKU_API_KEY": "t0ken-of-another"}
    )
    assert (asked.code, asked.document["verdict"]) == (3, "unverified")
    assert "t0ken" not in asked.out + asked.err + done.err


def test_a_platform_that_goes_away_in_the_middle_is_unverified(tiny: Tiny) -> None:
    tiny.commit({"release.py": "import time\nprint('here', flush=True)\ntime.sleep(600)\n"})
    tiny.run("platform", "serve", "--background")
    pid = tiny.status()["pid"]
    shipping = tiny.start("ship", "--json")
    wait_until(lambda: _pending(tiny))
    os.kill(pid, signal.SIGKILL)
    out, err = shipping.communicate(timeout=120)
    assert shipping.returncode == 3, err
    assert '"verdict": "unverified"' in out
    tiny.stop()
    assert str(tiny.data) not in _everything_that_runs()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_ship_exits_5_and_the_same_command_goes_on(
    tiny: Tiny, sent: signal.Signals
) -> None:
    wait = "import os, time\nwhile os.path.exists('/proc/1') and time.sleep(12) is None: break\n"
    tiny.commit({"release.py": wait + RELEASE})
    tiny.run("platform", "serve", "--background")
    shipping = tiny.start("ship", "--json")
    wait_until(lambda: _pending(tiny))
    shipping.send_signal(sent)
    out, err = shipping.communicate(timeout=60)
    assert (shipping.returncode, out) == (5, ""), err
    assert "the same command goes on from there" in err
    # The platform is at the release; the ship may still be asking how the build ended.
    assert re.search(r"interrupted: (build|release)\b", tiny.run("ledger", "list").out)
    done = ship(tiny)
    assert (done.code, done.document["release"]["version"]) == (0, 3), done
    assert tiny.run("ledger", "check").code == 0


@pytest.mark.parametrize("after", [0.3, 0.45, 0.6, 0.75, 0.9])
def test_ctrl_c_at_any_point_of_the_start_leaves_nothing_running_unless_it_says_so(
    tiny: Tiny, after: float
) -> None:
    shipping = tiny.start("ship", "--json")
    time.sleep(after)
    shipping.send_signal(signal.SIGINT)
    out, err = shipping.communicate(timeout=60)
    # -SIGINT: Python itself was still starting
    assert shipping.returncode in (0, 5, 130, -signal.SIGINT), err
    assert out == "" or shipping.returncode == 0
    if shipping.returncode == 130:  # nothing was changed: at most, the platform was up already
        tiny.stop()
    elif shipping.returncode == 5:
        assert "the same command goes on from there" in err
        tiny.stop()
    time.sleep(1.0)  # what was on its way up would be there by now
    if shipping.returncode in (130, 5):
        assert str(tiny.data) not in _everything_that_runs()
    assert "Traceback" not in err or "KeyboardInterrupt" in err


def test_stopping_the_platform_leaves_no_process_behind(tiny: Tiny) -> None:
    assert ship(tiny).code == 0
    status = tiny.status()
    pids = [status["pid"], *(dyno["pid"] for dyno in status["apps"][0]["dynos"])]
    assert all(_alive(pid) for pid in pids)
    tiny.stop()
    wait_until(lambda: not any(_alive(pid) for pid in pids), 15)
    assert str(tiny.data) not in _everything_that_runs()


def _everything_that_runs() -> str:
    """Command lines and working folders of all processes."""
    told = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            told.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            told.append(str((process / "cwd").readlink()))
    return "\n".join(told)


def _pending(tiny: Tiny) -> bool:
    """Asked of the platform: `verify` would read the release command's output to its end."""
    platform = find_running(tiny.data)
    assert platform is not None
    with HerokuClient(platform.api, platform.token()) as client:
        releases = [one for app in client.apps() for one in client.releases(app.name)]
        return any(one.status == "pending" for one in releases)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
