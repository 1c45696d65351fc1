"""Command by command: Heroku's own CLI, unchanged, on the embedded platform.

The tests run in order on one platform. The last one compares what ran with the docs' table.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from . import table

pytestmark = [
    pytest.mark.platform, pytest.mark.slow, pytest.mark.xdist_group("heroku-cli"),
    pytest.mark.timeout(400),
]  # fmt: skip
DOCS = Path(__file__).parents[2] / "docs" / "embedded-platform.md"


def test_apps_are_created_listed_shown_and_destroyed(cli: Any, demo: str) -> None:
    assert "other" in cli.works("apps:create", "other", "--no-remote")
    listed = cli.works("apps")
    assert "demo" in listed
    assert "other" in listed
    shown = cli.works("apps:info", "-a", "other")
    assert "heroku-24" in shown
    assert "operator@localhost" in shown
    cli.works("apps:destroy", "other", "--confirm", "other")
    assert "other" not in cli.works("apps")
    assert "operator@localhost" in cli.works("auth:whoami")


def test_a_renamed_app_runs_on_under_its_new_name(cli: Any, stage: Any, demo: str) -> None:
    cli.works("apps:rename", "renamed", "-a", "demo")
    stage.up("renamed")
    assert stage.page("renamed.localhost").status_code == 200
    assert stage.page("demo.localhost").status_code == 404
    assert "heroku[router]" in cli.works("logs", "-n", "500", "-a", "renamed")
    stage.post("/apps", {"name": "taken"})
    assert "already taken" in cli.refused("apps:rename", "taken", "-a", "renamed", row="")
    assert stage.call("PATCH", "/apps/renamed", {"name": "../x"}).status_code == 422
    stage.call("DELETE", "/apps/taken")
    cli.works("apps:rename", "demo", "-a", "renamed")
    stage.up("demo")


def test_config_vars_are_set_read_and_unset_and_each_change_is_a_release(
    cli: Any, stage: Any, demo: str
) -> None:
    before = stage.settled("demo")["version"]
    cli.works("config:set", "GREETING=two words", "-a", "demo")
    assert cli.works("config:get", "GREETING", "-a", "demo").strip() == "two words"
    assert json.loads(cli.works("config", "--json", "-a", "demo")) == {"GREETING": "two words"}
    stage.settled("demo")
    cli.works("config:unset", "GREETING", "-a", "demo")
    assert cli.works("config:get", "GREETING", "-a", "demo").strip() == ""
    assert stage.settled("demo")["version"] == before + 2


def test_releases_are_shown_with_their_output_and_status(cli: Any, stage: Any, demo: str) -> None:
    cli.works("config:set", "RELEASE_EXIT=3", "-a", "demo")
    failed = stage.settled("demo")
    assert failed["status"] == "failed"
    number = f"v{failed['version']}"
    table = cli.works("releases", "-a", "demo")
    assert re.search(rf"{number} .*release command failed", table)
    listed = json.loads(cli.works("releases", "--json", "-a", "demo", row="releases --json"))
    assert {r["version"]: r["status"] for r in listed}[failed["version"]] == "failed"
    assert "failed" in cli.works("releases:info", number, "-a", "demo")
    assert "release command says" in cli.works("releases:output", number, "-a", "demo")
    stage.call("PATCH", "/apps/demo/config-vars", {"RELEASE_EXIT": None})
    assert stage.settled("demo")["status"] == "succeeded"


def test_retry_and_rollback_make_new_releases(cli: Any, stage: Any, demo: str) -> None:
    before = stage.settled("demo")["version"]
    assert "release command says" in cli.works("releases:retry", "-a", "demo")
    assert stage.settled("demo")["version"] == before + 1
    cli.works("releases:rollback", "v3", "-a", "demo")
    assert stage.settled("demo")["description"] == "Rollback to v3"
    assert cli.works("config:get", "GREETING", "-a", "demo").strip() == "hello"


def test_dynos_are_listed_scaled_restarted_stopped_and_waited_for(
    cli: Any, stage: Any, demo: str
) -> None:
    stage.up("demo")
    assert re.search(r"web\.1.*: up", cli.works("ps", "-a", "demo"))
    cli.works("ps:scale", "web=2", "-a", "demo")
    pids = {d["id"] for d in stage.up("demo", 2)}
    cli.works("ps:restart", "-a", "demo")
    assert not pids & {d["id"] for d in stage.up("demo", 2)}
    cli.works("ps:wait", "-a", "demo")
    cli.works("ps:stop", "-d", "web.2", "-a", "demo")
    assert [d["state"] for d in stage.get("/apps/demo/dynos")] == ["up", "down"]
    cli.works("ps:scale", "web=1", "-a", "demo")


def test_logs_are_shown_and_followed(cli: Any, stage: Any, demo: str) -> None:
    text = cli.works("logs", "-n", "500", "-a", "demo")
    assert "heroku[web.1]" in text.replace("\x1b", "")
    tail = subprocess.Popen(
        [cli.program, "logs", "--tail", "-a", "demo"],
        env=cli.environment(), cwd=cli.home, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    found = threading.Event()

    def read() -> None:
        assert tail.stdout is not None
        for line in tail.stdout:
            if b"/only-now" in line:
                found.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(60):
            stage.http.get(stage.info.router + "/only-now", headers={"Host": "demo.localhost"})
            if found.wait(0.5):
                break
        assert found.is_set()
        cli.ran["logs --tail"] = "works"
    finally:
        tail.terminate()
        tail.wait(30)
        reader.join(30)
        assert tail.stdout is not None
        tail.stdout.close()


def test_run_gives_the_output_of_a_terminal_and_the_apps_environment(
    cli: Any, stage: Any, demo: str
) -> None:
    said = "echo $DYNO $GREETING $HEROKU_RELEASE_VERSION $WITH; tty; pwd; echo $HOME"
    out = cli.works("run", "-e", "WITH=this", "-a", "demo", "--", said)
    version = stage.settled("demo")["version"]
    assert re.search(rf"run\.\d{{4}} hello v{version} this", out)
    assert "/dev/pts/" in out
    assert cli.works("run", "-a", "demo", "cat", stdin="typed\n").count("typed") >= 1
    text = cli.works(
        "run", "--no-tty", "-a", "demo", "cat", stdin="x\n", row="run --no-tty", verdict="differs"
    )
    assert text.count("x") == 1
    assert stage.eventually(lambda: len(stage.get("/apps/demo/dynos")) == 1)


def test_a_one_off_dyno_gets_the_apps_environment_and_nothing_of_the_platforms(
    cli: Any, stage: Any, demo: str
) -> None:
    out = cli.works("run", "-a", "demo", "env")
    names = set(re.findall(r"^(\w+)=", out.replace("\r", ""), re.MULTILINE))
    assert {"GREETING", "DYNO", "HEROKU_APP_NAME", "TERM"} <= names
    known = {"GREETING", "DYNO", "TERM", "COLUMNS", "LINES", "HOME", "PATH", "PYTHONPATH", "PWD",
             "OLDPWD", "SHLVL", "_", "HOST", "LANG", "PYTHONUNBUFFERED",
             "FORWARDED_ALLOW_IPS"}  # fmt: skip
    assert {n for n in names - known if not n.startswith("HEROKU_")} == set()
    assert stage.token not in out


@pytest.mark.parametrize(("command", "code"), [("true", 0), ("sh -c 'echo out; exit 7'", 7)])
def test_run_passes_the_exit_code_on(cli: Any, demo: str, command: str, code: int) -> None:
    cli.works("run", "-x", "-a", "demo", "--", command, code=code, row="run -x")


def test_a_detached_run_writes_into_the_log_and_goes_when_it_ends(
    cli: Any, stage: Any, demo: str
) -> None:
    out = cli.works("run:detached", "-a", "demo", "--", "echo from-afar-$DYNO; sleep 1")
    name = re.search(r"run\.\d{4}", out)
    assert name
    stage.eventually(lambda: f"from-afar-{name[0]}" in cli.run("logs", "-a", "demo").stdout)
    stage.eventually(lambda: len(stage.get("/apps/demo/dynos")) == 1)


def test_maintenance_takes_the_page_away_and_gives_it_back(cli: Any, stage: Any, demo: str) -> None:
    assert stage.page("demo.localhost").status_code == 200
    cli.works("maintenance:on", "-a", "demo")
    page = stage.page("demo.localhost")
    assert (page.status_code, "Offline for Maintenance" in page.text) == (503, True)
    assert "on" in cli.works("maintenance", "-a", "demo")
    cli.works("maintenance:off", "-a", "demo")
    assert stage.page("demo.localhost").status_code == 200
    assert "code=H80" in cli.run("logs", "-n", "200", "-a", "demo").stdout


def test_a_custom_domain_leads_to_the_app_until_it_is_removed(
    cli: Any, stage: Any, demo: str
) -> None:
    assert stage.page("www.example.com").status_code == 404
    cli.works("domains:add", "www.example.com", "-a", "demo")
    assert stage.page("www.example.com").status_code == 200
    listed = cli.works("domains", "-a", "demo")
    assert "demo.localhost" in listed
    assert "www.example.com" in listed
    cli.works("domains:remove", "www.example.com", "-a", "demo")
    assert stage.page("www.example.com").status_code == 404


class Receiver:
    """Takes webhooks; the first answer is a 500."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                self.send_response(500 if len(receiver.got) == 1 else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def about(told: dict[str, Any]) -> tuple[str, str, str]:
    return told["resource"], told["action"], told["data"].get("name", "")


def test_webhooks_are_delivered_signed_and_again_after_a_failure(
    cli: Any, stage: Any, demo: str
) -> None:
    receiver = Receiver()
    try:
        cli.works("webhooks:add", "-i", "api:release", "-l", "sync", "-s", "geheim",
                  "-u", receiver.url, "-a", "demo")  # fmt: skip
        hook = stage.get("/apps/demo/webhooks")[0]
        assert hook["id"] in cli.works("webhooks", "-a", "demo")
        assert receiver.url in cli.works("webhooks:info", hook["id"], "-a", "demo")
        stage.call("PATCH", "/apps/demo/config-vars", {"HOOKED": "1"})
        release = stage.settled("demo")
        stage.eventually(lambda: len(receiver.got) >= 3)
        headers, body = receiver.got[-1]
        signature = base64.b64encode(hmac.digest(b"geheim", body, hashlib.sha256)).decode()
        assert headers["Heroku-Webhook-Hmac-SHA256"] == signature
        told = [json.loads(got) for _, got in receiver.got]
        assert {t["data"]["id"] for t in told} == {release["id"]}
        assert {t["action"] for t in told} == {"create", "update"}
        stage.eventually(lambda: all(
            d["status"] == "succeeded" for d in stage.get("/apps/demo/webhook-deliveries")
        ))  # fmt: skip
        assert "succeeded" in cli.works("webhooks:deliveries", "-a", "demo")
        cli.works("webhooks:update", hook["id"], "-i", "api:build", "-l", "notify",
                  "-u", receiver.url, "-a", "demo")  # fmt: skip
        assert stage.get("/apps/demo/webhooks")[0]["include"] == ["api:build"]
        cli.works("webhooks:update", hook["id"], "-i", "api:formation", "-l", "notify",
                  "-u", receiver.url, "-a", "demo")  # fmt: skip
        stage.call("PATCH", "/apps/demo/formation/web", {"quantity": 2})
        stage.eventually(lambda: json.loads(receiver.got[-1][1])["resource"] == "formation")
        assert json.loads(receiver.got[-1][1])["data"]["quantity"] == 2
        cli.works("webhooks:update", hook["id"], "-i", "api:dyno,api:app", "-l", "notify",
                  "-u", receiver.url, "-a", "demo")  # fmt: skip
        stage.call("PATCH", "/apps/demo/formation/web", {"quantity": 1})
        gone = ("dyno", "destroy", "web.2")
        stage.eventually(lambda: gone in [about(json.loads(got)) for _, got in receiver.got])
        cli.works("webhooks:remove", hook["id"], "-a", "demo")
        assert stage.get("/apps/demo/webhooks") == []
    finally:
        receiver.close()


def test_a_collaborators_token_sees_its_app_and_no_other(cli: Any, stage: Any, demo: str) -> None:
    stage.post("/apps", {"name": "private"})
    made = stage.post("/truegreen/tokens", {"user": "eve@example.com"})
    token = made["token"]
    cli.refused("apps:info", "-a", "demo", token=token, row="")
    cli.works("access:add", "eve@example.com", "-a", "demo")
    assert "eve@example.com" in cli.works("access", "-a", "demo")
    assert "eve@example.com" in cli.works("auth:whoami", token=token)
    listed = cli.works("apps", token=token)
    assert "demo" in listed
    assert "private" not in listed
    cli.works("config:set", "BY=eve", "-a", "demo", token=token)
    cli.refused("apps:info", "-a", "private", token=token, row="")
    cli.refused("apps:destroy", "demo", "--confirm", "demo", token=token, row="")
    cli.works("access:remove", "eve@example.com", "-a", "demo")
    assert stage.call("GET", "/apps/demo", token=token).status_code == 403
    assert stage.call("DELETE", f"/truegreen/tokens/{made['id']}").status_code == 200
    assert stage.call("GET", "/account", token=token).status_code == 401


@pytest.mark.parametrize(
    "args",
    [
        ("apps:transfer", "eve@example.com", "-a", "demo"),
        ("addons:create", "heroku-redis:mini", "-a", "demo"),
        ("buildpacks:set", "heroku/nodejs", "-a", "demo"),
        ("drains:add", "https://logs.example.com", "-a", "demo"),
        ("pipelines:create", "line", "--stage", "staging", "-a", "demo"),
        ("ps:autoscale:enable", "--min", "1", "--max", "2", "-a", "demo"),
        ("certs:auto:enable", "-a", "demo"),
    ],
    ids=lambda args: args[0],
)
def test_what_is_not_there_is_refused(cli: Any, demo: str, args: tuple[str, ...]) -> None:
    cli.refused(*args)


def test_the_table_in_the_docs_is_what_ran(
    cli: Any, demo: str, request: pytest.FixtureRequest
) -> None:
    """With TRUEGREEN_WRITE_TABLE=1 a whole run writes the table, and keeps its remarks."""
    here = {item.name.partition("[")[0] for item in request.session.items
            if item.path == Path(__file__)}  # fmt: skip
    everything = {name for name in globals() if name.startswith("test_")}
    whole = here == everything and "PYTEST_XDIST_WORKER" not in os.environ  # else others ran some
    text = DOCS.read_text(encoding="utf-8")
    if whole and os.environ.get("TRUEGREEN_WRITE_TABLE") == "1":
        text = table.rewritten(text, cli.ran)
        DOCS.write_text(text, encoding="utf-8")
    documented = table.verdicts(text)
    assert {name: documented.get(name) for name in cli.ran} == cli.ran
    if whole:
        assert sorted(documented) == sorted(cli.ran)
