"""Faults in a running platform: each does what its name says, and is gone when its context ends."""

from __future__ import annotations

import json
import re
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from truegreen.cli.platform import command
from truegreen.embedded import faults
from truegreen.errors import PlatformRefused, PlatformUnreachable

pytestmark = pytest.mark.platform


@pytest.fixture(scope="module")
def client(shared: Any) -> Any:
    shared.post("/apps", {"name": "demo"})
    return shared


@pytest.fixture(autouse=True)
def gone_at_the_end(client: Any) -> Any:
    yield
    assert faults.active(client.info) == {}
    assert client.get("/apps/demo")["name"] == "demo"


def test_429_comes_with_its_headers_or_without(client: Any) -> None:
    with faults.injected(faults.RateLimited(seconds=7), platform=client.info):
        answer = client.http.get("/apps/demo")
        assert answer.status_code == 429
        assert answer.json()["id"] == "rate_limit"
        assert (answer.headers["Retry-After"], answer.headers["RateLimit-Remaining"]) == ("7", "0")
    with faults.injected(faults.RateLimited(headers=False), platform=client.info):
        answer = client.http.get("/apps/demo")
        assert answer.status_code == 429
        assert "Retry-After" not in answer.headers


def test_a_rate_is_a_share_and_a_path_and_method_are_a_choice(client: Any) -> None:
    half = faults.ServerError(path="/apps/*", method="get", rate=0.5)
    with faults.injected(half, platform=client.info):
        codes = [client.http.get("/apps/demo").status_code for _ in range(6)]
        assert codes == [500, 200] * 3
        assert client.http.get("/account").status_code == 200
        assert client.http.patch("/apps/demo/config-vars", json={}).status_code == 200


def test_502_is_html(client: Any) -> None:
    with faults.injected(faults.BadGateway(), platform=client.info):
        answer = client.http.get("/apps/demo")
    assert answer.status_code == 502
    assert "text/html" in answer.headers["Content-Type"]


def test_a_timeout_gives_nothing_and_does_nothing(client: Any) -> None:
    fault = faults.NoAnswer(path="/apps*", seconds=30)
    with faults.injected(fault, platform=client.info), pytest.raises(httpx.ReadTimeout):
        client.http.post("/apps", json={"name": "never-made"}, timeout=0.5)
    assert client.http.get("/apps/never-made").status_code == 404


def test_slow_is_late_and_right(client: Any) -> None:
    began = time.monotonic()
    with faults.injected(faults.Slow(seconds=0.4), platform=client.info):
        assert client.get("/apps/demo")["name"] == "demo"
    assert time.monotonic() - began >= 0.4


def test_truncated_json_is_no_json_and_its_length_is_as_told(client: Any) -> None:
    with faults.injected(faults.Truncated(), platform=client.info):
        answer = client.http.get("/apps/demo")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="line 1"):
        answer.json()


def test_wrong_types_are_json_of_another_shape(client: Any) -> None:
    with faults.injected(faults.WrongTypes(), platform=client.info):
        app = client.get("/apps/demo")
        assert (app["name"], app["maintenance"]) == (4, "False")
        assert isinstance(client.get("/apps"), dict)


def test_a_reset_loses_the_answer_of_what_was_done(client: Any) -> None:
    fault = faults.ConnectionReset(path="/apps", method="POST")
    with faults.injected(fault, platform=client.info), pytest.raises(httpx.RemoteProtocolError):
        client.http.post("/apps", json={"name": "was-made"})
    assert client.get("/apps/was-made")["name"] == "was-made"


def test_the_clock_is_off_in_json_and_in_date(client: Any) -> None:
    before = client.get("/apps/demo")["created_at"]
    with faults.injected(faults.ClockOffset(offset=-86_400), platform=client.info):
        answer = client.http.get("/apps/demo")
    assert answer.json()["created_at"] < before
    assert time.time() - parsedate_to_datetime(answer.headers["Date"]).timestamp() > 80_000


def test_faults_of_streams(client: Any) -> None:
    build, whole = client.build("demo", client.tarball(client.APP))
    url = build["output_stream_url"]
    with faults.injected(faults.StreamNotRegistered(), platform=client.info):
        answer = client.http.get(url)
        assert answer.status_code == 404
        assert "Channel is not registered" in answer.text
    with faults.injected(faults.StreamCut(size=10), platform=client.info):
        assert client.http.get(url).text == whole[:10]
    with (
        faults.injected(faults.StreamReset(size=10), platform=client.info),
        pytest.raises(httpx.RemoteProtocolError),
    ):
        client.http.get(url)
    assert client.http.get(url).text == whole


def test_a_stuck_release_ends_its_stream_stays_pending_blocks_nothing_and_expires(
    client: Any,
) -> None:
    client.post("/apps", {"name": "stuck"})
    files = {**client.APP, "Procfile": client.APP["Procfile"] + "release: echo done\n"}
    with faults.injected(faults.ReleaseStuck(app="stuck"), platform=client.info):
        build, _ = client.build("stuck", client.tarball(files))
        release = client.get(f"/apps/stuck/releases/{build['release']['id']}")
        assert client.output(release) == "done\n"  # the end of the stream is not the verdict
        assert client.get(f"/apps/stuck/releases/{release['id']}")["status"] == "pending"
        without = {**client.APP, "newer": "1"}
        newer = client.deploy("stuck", without)
        assert (newer["status"], newer["current"]) == ("succeeded", True)
        assert client.get(f"/apps/stuck/releases/{release['id']}")["status"] == "pending"
    ended = client.get(f"/apps/stuck/releases/{release['id']}")
    assert (ended["status"], ended["current"]) == ("expired", False)
    assert not ended["eligible_for_rollback"]
    refused = client.http.post("/apps/stuck/releases", json={"release": release["id"]})
    assert refused.status_code == 422


def test_a_dyno_crashes_again_and_again_until_the_fault_is_out(client: Any) -> None:
    client.post("/apps", {"name": "crash"})
    client.deploy("crash", client.APP)
    client.up("crash", 2)
    with faults.injected(faults.DynoCrash(app="crash"), platform=client.info):
        client.eventually(lambda: client.get("/apps/crash/dynos")[0]["state"] == "crashed")
    assert client.http.delete("/apps/crash/dynos").status_code == 202
    client.up("crash", 2)


def asked(client: Any, app: str, times: int = 30) -> set[str]:
    """The releases that answer, of ``times`` requests."""
    return {client.ask(client.info.router, app).split()[0] for _ in range(times)}


def test_a_stale_dyno_serves_old_code_beside_the_new_and_is_not_listed(client: Any) -> None:
    client.post("/apps", {"name": "stale"})
    client.deploy("stale", client.APP)
    client.up("stale", 2)
    with faults.injected(faults.StaleDyno(app="stale"), platform=client.info):
        client.patch("/apps/stale/config-vars", {"A": "1"})
        client.up("stale", 3)
        assert asked(client, "stale", 60) == {"v2", "v3"}
        assert len(client.get("/apps/stale/dynos")) == 1
    client.eventually(lambda: asked(client, "stale") == {"v3"})


def test_with_preboot_the_old_dynos_alone_serve_on_and_are_not_listed(client: Any) -> None:
    client.post("/apps", {"name": "preboot"})
    client.deploy("preboot", client.APP)
    client.up("preboot", 2)
    feature = client.patch("/apps/preboot/features/preboot", {"enabled": True})
    assert feature["enabled"]
    client.patch("/apps/preboot/config-vars", {"A": "1"})
    [dyno] = client.up("preboot", 3)
    assert dyno["release"]["version"] == 3
    assert asked(client, "preboot") == {"v2"}
    client.patch("/apps/preboot/formation/web", {"quantity": 0})
    assert "Application error" in client.ask(client.info.router, "preboot")


def test_without_preboot_only_the_new_dynos_serve(client: Any) -> None:
    client.post("/apps", {"name": "plain"})
    client.deploy("plain", client.APP)
    client.up("plain", 2)
    client.patch("/apps/plain/config-vars", {"A": "1"})
    client.up("plain", 3)
    assert asked(client, "plain") == {"v3"}


def test_status_shows_what_is_in_and_the_command_line_puts_in_and_out(client: Any) -> None:
    where = ["--data", str(client.info.data)]

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(command, [*arguments, *where], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    key = run("fault", "add", "api-slow", "seconds=0", "path=/apps/none").strip()
    listed = json.loads(run("fault", "list", "--json"))
    assert listed[key]["kind"] == "api-slow"
    assert json.loads(run("status", "--json"))["faults"] == listed
    assert f"fault {key}: kind=api-slow" in run("status")
    run("fault", "remove", key)
    assert run("fault", "list") == ""
    run("fault", "add", "database-down")
    run("fault", "remove", "--all")


def test_what_is_no_fault_is_refused_by_the_platform_too(client: Any) -> None:
    for body in (
        {},
        {"kind": "x"},
        {"kind": "api-slow", "rate": "2"},
        {"kind": "api-slow", "y": ""},
    ):
        assert client.http.post("/truegreen/faults", json=body).status_code == 422


def test_a_context_that_fails_takes_its_faults_out_and_none_runs_is_said(
    client: Any, tmp_path: Any
) -> None:
    with (
        pytest.raises(RuntimeError),
        faults.injected(faults.ServerError(), platform=client.info.data),
    ):
        raise RuntimeError
    with pytest.raises(PlatformUnreachable), faults.injected(platform=tmp_path):
        pass
    with pytest.raises(PlatformRefused):
        faults.add(faults.ClockOffset(offset=1e300), client.info)


def test_the_example_on_the_page_runs_as_it_stands(client: Any) -> None:
    page = Path(__file__).parents[3] / "docs" / "embedded-platform.md"
    [example] = re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    exec(example, {"data_folder": client.info.data})
    for kind in faults.KINDS:
        assert f"`{kind}`" in page.read_text(), kind
