"""The platform as a process: found, started once, stopped whole, killed and brought back."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from truegreen.cli.platform import command
from truegreen.embedded import locate
from truegreen.embedded.locate import PlatformInfo, data_dir, ensure_running, find_running, stop
from truegreen.errors import PlatformUnreachable, TrueGreenError, UsageError

pytestmark = pytest.mark.platform


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def dyno_pids(client: Any) -> list[int]:
    apps = client.get("/truegreen/status")["apps"]
    return [dyno["pid"] for app in apps for dyno in app["dynos"] if dyno["pid"]]


def test_the_folder_is_the_checkouts_or_the_named_one(tmp_path: Path) -> None:
    service = tmp_path / "repo" / "examples" / "service"
    service.mkdir(parents=True)
    assert data_dir(service, {}) == service / ".truegreen" / "platform"
    (tmp_path / "repo" / ".git").write_text("gitdir: elsewhere\n")
    assert data_dir(service, {}) == tmp_path / "repo" / ".truegreen" / "platform"
    named = {"TRUEGREEN_PLATFORM_DATA": str(tmp_path / "named")}
    assert data_dir(service, named) == tmp_path / "named"


def test_what_no_platform_wrote_is_no_platform(tmp_path: Path) -> None:
    assert find_running(tmp_path / "nowhere") is None
    file = tmp_path / "platform.json"
    for text in ("", "{", "[]", "{}", '{"pid": "x"}'):
        file.write_text(text)
        assert find_running(tmp_path) is None


def test_a_stale_file_with_the_pid_of_somebody_else_is_seen_through(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    values = dict.fromkeys(("api", "router", "edge"), f"http://127.0.0.1:{port}")
    values |= {"token_file": str(tmp_path / "token"), "data": str(tmp_path), "started": ""}
    (tmp_path / "token").write_text("t")
    (tmp_path / "platform.json").write_text(json.dumps({**values, "pid": os.getpid()}))
    assert find_running(tmp_path) is None
    assert stop(tmp_path) is False
    assert not (tmp_path / "platform.json").exists()


def test_started_by_two_at_once_there_is_one_platform(tmp_path: Path) -> None:
    found: list[PlatformInfo] = []

    def start() -> None:
        found.append(ensure_running(tmp_path / "p", timeout=60))

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert len(found) == 3
        assert len({info.pid for info in found}) == 1
    finally:
        assert stop(tmp_path / "p") is True
    assert not alive(found[0].pid)
    assert find_running(tmp_path / "p") is None
    assert stop(tmp_path / "p") is False


def test_token_and_state_are_for_the_owner_only(platform: Any) -> None:
    info = platform.info
    for path, mode in ((info.token_file, 0o600), (info.data, 0o700),
                       (info.data / "state.sqlite3", 0o600)):  # fmt: skip
        assert stat.S_IMODE(path.stat().st_mode) == mode
    token = info.token().reveal()
    assert token not in repr(info)
    assert token not in (info.data / "platform.json").read_text()
    assert token not in (info.data / "platform.log").read_text()


def test_the_platform_of_another_folder_is_not_taken_for_this_ones(
    platform: Any, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    values = json.loads((platform.info.data / "platform.json").read_text())
    (here / "platform.json").write_text(json.dumps({**values, "data": str(here)}))
    assert find_running(here) is None
    (here / "platform.json").write_text(json.dumps({**values, "pid": os.getpid()}))
    assert find_running(here) is None


def test_a_restart_brings_everything_back_at_the_same_addresses(platform: Any) -> None:
    platform.post("/apps", {"name": "demo"})
    platform.deploy("demo", platform.APP)
    platform.patch("/apps/demo/config-vars", {"GREETING": "hi"})
    platform.patch("/truegreen/settings", {"on-release-failure": "deploy"})
    before = [platform.get(f"/apps/demo{what}") for what in ("", "/releases", "/builds")]
    output = platform.http.get(before[2][0]["output_stream_url"]).text
    old = platform.up("demo", 3)
    pids = dyno_pids(platform)
    assert stop(platform.info.data) is True
    assert not any(alive(pid) for pid in pids)
    info = ensure_running(platform.info.data, timeout=60)
    assert (info.api, info.router, info.edge) == (
        platform.info.api, platform.info.router, platform.info.edge,
    )  # fmt: skip
    new = platform.up("demo", 3)
    assert [platform.get(f"/apps/demo{what}") for what in ("", "/releases", "/builds")] == before
    assert platform.http.get(before[2][0]["output_stream_url"]).text == output
    assert new[0]["id"] != old[0]["id"]
    assert platform.get("/truegreen/settings")["on-release-failure"] == "deploy"
    assert platform.ask(info.edge, "demo") == "v3 c0ffee hi None"


def test_killed_in_the_middle_of_a_release_it_tells_so_and_leaves_no_orphan(
    platform: Any, tmp_path: Path
) -> None:
    platform.post("/apps", {"name": "demo"})
    platform.deploy("demo", platform.APP)
    dyno = platform.up("demo", 2)[0]
    mark = tmp_path / "release.pid"
    files = {
        **platform.APP,
        "Procfile": platform.APP["Procfile"]
        + f"release: echo begun; echo $$ > {mark}.new; mv {mark}.new {mark}; sleep 600\n",
    }
    build, _ = platform.build("demo", platform.tarball(files))
    platform.eventually(mark.exists)
    orphans = [int(mark.read_text()), *dyno_pids(platform)]
    os.kill(platform.info.pid, signal.SIGKILL)
    platform.eventually(lambda: not alive(platform.info.pid))
    assert all(alive(pid) for pid in orphans)
    assert find_running(platform.info.data) is None
    ensure_running(platform.info.data, timeout=60)
    release = platform.get(f"/apps/demo/releases/{build['release']['id']}")
    assert (release["status"], release["current"]) == ("failed", False)
    assert "the platform was killed" in release["description"]
    assert platform.output(release).startswith("begun\n")
    assert platform.up("demo", 2)[0]["id"] != dyno["id"]
    platform.eventually(lambda: not any(alive(pid) for pid in orphans))


def test_a_clean_stop_in_the_middle_of_a_release_tells_so_on_the_stream(platform: Any) -> None:
    platform.post("/apps", {"name": "demo"})
    files = {
        **platform.APP,
        "Procfile": platform.APP["Procfile"] + "release: echo begun; sleep 600\n",
    }
    build, _ = platform.build("demo", platform.tarball(files))
    release = platform.get(f"/apps/demo/releases/{build['release']['id']}")
    seen = ""
    with httpx.stream("GET", release["output_stream_url"], timeout=60) as stream:
        for part in stream.iter_text():
            if not seen:
                os.kill(platform.info.pid, signal.SIGTERM)
            seen += part
    assert seen == "begun\n !     release command interrupted: the platform was stopped\n"
    platform.eventually(lambda: not alive(platform.info.pid))
    assert not (platform.info.data / "platform.json").exists()


def test_two_builds_cut_short_by_a_kill_are_failed_and_leave_nothing(platform: Any) -> None:
    platform.post("/apps", {"name": "demo"})
    source = platform.tarball({**platform.APP, "data": "x" * 20_000_000})
    builds = [platform.start_build("demo", source) for _ in range(2)]
    os.kill(platform.info.pid, signal.SIGKILL)
    platform.eventually(lambda: not alive(platform.info.pid))
    ensure_running(platform.info.data, timeout=60)
    for build in builds:
        found = platform.get(f"/apps/demo/builds/{build['id']}")
        if found["status"] != "succeeded":  # one that was quicker than the kill
            assert (found["status"], found["release"]) == ("failed", None)
            assert "the platform was killed" in found["failure_reason"]
    kept = {b["slug"]["id"] for b in platform.get("/apps/demo/builds") if b["slug"]}
    assert {path.name for path in (platform.info.data / "slugs").iterdir()} == kept


def test_a_second_platform_on_the_same_folder_is_refused(platform: Any) -> None:
    runner = CliRunner()
    for more in ([], ["--background"]):
        done = runner.invoke(command, ["serve", "--data", str(platform.info.data), *more])
        assert isinstance(done.exception, UsageError)
        assert "already" in str(done.exception)
    assert alive(platform.info.pid)


def test_the_daemon_has_no_token_of_another_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEROKU_API_KEY", "s3cret-of-herokus")
    done = CliRunner().invoke(command, ["serve", "--data", str(tmp_path / "p"), "--background"])
    assert done.exception is None
    info = find_running(tmp_path / "p")
    assert info is not None
    environ = Path(f"/proc/{info.pid}/environ").read_bytes()
    stop(tmp_path / "p")
    assert b"PATH=" in environ
    assert b"s3cret-of-herokus" not in environ


def test_a_port_in_use_is_a_usage_error_that_names_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = CliRunner().invoke(
            command, ["serve", "--data", str(tmp_path / "p"), "--port", str(port)]
        )
        assert isinstance(done.exception, UsageError)
        assert (done.exception.exit_code, str(port) in str(done.exception)) == (2, True)
        with pytest.raises(TrueGreenError, match=f"port {port}"):
            ensure_running(tmp_path / "p", options=["--port", str(port)], timeout=60)
    assert find_running(tmp_path / "p") is None


def test_a_remembered_port_that_was_taken_meanwhile_is_given_up(tmp_path: Path) -> None:
    info = ensure_running(tmp_path / "p", timeout=60)
    stop(tmp_path / "p")
    port = int(info.router.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        again = ensure_running(tmp_path / "p", timeout=60)
        stop(tmp_path / "p")
    assert again.router != info.router
    assert again.api == info.api


def test_a_database_of_a_newer_truegreen_is_left_alone(tmp_path: Path) -> None:
    import sqlite3

    database = sqlite3.connect(tmp_path / "state.sqlite3")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(TrueGreenError, match="schema version 99"):
        ensure_running(tmp_path, timeout=60)


def test_the_status_says_what_runs_as_promised(platform: Any) -> None:
    platform.post("/apps", {"name": "demo"})
    platform.deploy("demo", platform.APP)
    platform.up("demo", 2)
    done = CliRunner().invoke(
        command, ["status", "--json", "--data", str(platform.info.data)], catch_exceptions=False
    )
    values = json.loads(done.stdout)
    assert {"api", "router", "edge", "token_file", "data", "pid", "apps"} <= set(values)
    (app,) = values["apps"]
    assert set(app) == {"name", "web_url", "edge_url", "release", "dynos"}
    assert (app["name"], app["release"]) == ("demo", "v2")
    assert app["edge_url"] == f"http://demo.localhost:{values['edge'].rpartition(':')[2]}/"
    assert [set(d) for d in app["dynos"]] == [{"name", "state", "pid"}]
    assert alive(app["dynos"][0]["pid"])


def test_env_and_set_work_on_the_running_platform(platform: Any) -> None:
    place = ["--data", str(platform.info.data)]
    env = CliRunner().invoke(command, ["env", *place], catch_exceptions=False).stdout
    assert f"export HEROKU_HOST={platform.info.api}\n" in env
    assert f"export HEROKU_API_KEY={platform.info.token().reveal()}\n" in env
    done = CliRunner().invoke(command, ["set", "on-release-failure=deploy", *place])
    assert (done.exit_code, "on-release-failure = deploy" in done.stdout) == (0, True)
    assert platform.get("/truegreen/settings")["on-release-failure"] == "deploy"


@pytest.mark.parametrize("text", ["x=1", "on-release-failure", "on-release-failure=maybe"])
def test_a_setting_that_is_none_is_a_usage_error(tmp_path: Path, text: str) -> None:
    done = CliRunner().invoke(command, ["set", text, "--data", str(tmp_path)])
    assert isinstance(done.exception, UsageError)


@pytest.mark.parametrize("verb", [["status"], ["status", "--json"], ["env"],
                                  ["set", "release-timeout=5"]])  # fmt: skip
def test_without_a_platform_a_question_ends_unverified(tmp_path: Path, verb: list[str]) -> None:
    done = CliRunner().invoke(command, [*verb, "--data", str(tmp_path)])
    assert isinstance(done.exception, PlatformUnreachable)
    assert done.exception.exit_code == 3
    assert done.stdout == ""


def test_stopping_what_does_not_run_is_fine(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["stop", "--json", "--data", str(tmp_path / "p")])
    assert (done.exit_code, json.loads(done.stdout)["stopped"]) == (0, False)


def test_a_platform_that_hangs_is_no_running_platform(
    platform: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.kill(platform.info.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(PlatformUnreachable):
            locate.ask(platform.info, "GET", "/truegreen/status", timeout=0.3)
        assert time.monotonic() - began < 30
    finally:
        os.kill(platform.info.pid, signal.SIGCONT)
    assert platform.eventually(lambda: find_running(platform.info.data))
