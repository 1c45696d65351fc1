"""Raptor on the embedded platform, with Postgres: green, and each way of breaking it named."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tiny_service import Tiny

import truegreen
from truegreen.model import CHECKS
from truegreen.ship.stage import commit, copy_service

pytestmark = [pytest.mark.platform, pytest.mark.xdist_group("raptor"), pytest.mark.timeout(300)]
APP = "raxx-api-prod"
FLAG = "FLAG_ENFORCE_CF_ORIGIN"


class Shipped(Tiny):
    """Raptor, shipped: commands run in its root, on a platform of its own."""

    def call(self, method: str, path: str, body: Any = None) -> Any:
        status = self.status()
        request = urllib.request.Request(
            status["api"] + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": "Bearer " + Path(status["token_file"]).read_text().strip(),
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def verify(self) -> tuple[int, dict[str, Any], dict[str, str]]:
        done = self.run("verify", "--json")
        statuses = {c["name"]: c["status"] for c in done.document["checks"]}
        return done.code, done.document, statuses

    def verify_until_green(self) -> None:
        until = time.monotonic() + 60
        while (answer := self.verify())[0] != 0:
            assert time.monotonic() < until, answer[1]["sentence"]
            time.sleep(0.2)

    def get(self, base: str, **headers: str) -> tuple[int, Any]:
        """What curl would get from ``base``, with the app's host name."""
        port = int(self.status()[base].rsplit(":", 1)[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("GET", "/health", headers={"Host": f"{APP}.localhost", **sent})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def raptor(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Shipped]:
    service = Shipped(tmp_path_factory.mktemp("raptor"))
    service.root = service.root.parent / "raptor"
    copy_service(request.config.rootpath / "examples" / "raptor", service.root)
    commit(service.root, "raptor")
    done = service.run("ship", "--json")
    try:
        assert done.code == 0, (done.out, done.err)
        yield service
    finally:
        service.stop()


def test_verify_answers_every_check_with_all_that_evidence_needs(raptor: Shipped) -> None:
    code, document, statuses = raptor.verify()
    assert code == 0
    assert statuses == {check.name: "pass" for check in CHECKS if check.asked}
    for check in document["checks"]:
        assert all(check[key] for key in ("observed", "expected", "source", "at", "digest"))
    schema = Path(truegreen.__file__).parent / "outputs" / "schemas" / "verification.json"
    jsonschema.validate(document, json.loads(schema.read_text()))


def test_verify_needs_no_configuration_and_nothing_but_variables(
    raptor: Shipped, tmp_path: Path
) -> None:
    status = raptor.status()
    env = {
        "PATH": os.environ["PATH"],
        "HEROKU_API_KEY": Path(status["token_file"]).read_text().strip(),
        "HEROKU_HOST": status["api"],
        "HEROKU_APP": APP,
        "GITHUB_SHA": raptor.git("rev-parse", "HEAD"),
    }
    done = subprocess.run(
        raptor.command("verify", "--json"),
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    document = json.loads(done.stdout)
    assert (done.returncode, document["verdict"]) == (0, "green"), done.stderr
    assert env["HEROKU_API_KEY"] not in done.stdout + done.stderr


def test_the_edge_lets_in_and_the_origin_does_not(raptor: Shipped) -> None:
    status, body = raptor.get("edge")
    assert (status, body["status"]) == (200, "ok")
    blocked = (403, {"error": "direct_origin_blocked"})
    assert raptor.get("router") == blocked
    assert raptor.get("router", CF_Connecting_IP="203.0.113.7") == blocked
    assert raptor.get("router", X_Origin_Secret="guessed") == blocked
    assert raptor.get("router", X_Forwarded_For="173.245.48.1", CF_Ray="1-FRA") == blocked
    status, _ = raptor.get("edge", X_Origin_Secret="guessed")
    assert status == 200


def test_a_killed_web_dyno_is_named(raptor: Shipped) -> None:
    (app,) = raptor.status()["apps"]
    os.kill(app["dynos"][0]["pid"], signal.SIGKILL)
    code, _, statuses = raptor.verify()
    assert (code, statuses["code.dynos"], statuses["health.edge"]) == (1, "fail", "fail")
    raptor.verify_until_green()  # the platform starts it again


def test_a_flag_that_does_not_parse_is_named(raptor: Shipped) -> None:
    raptor.call("PATCH", f"/apps/{APP}/config-vars", {FLAG: "maybe"})
    code, document, statuses = raptor.verify()
    assert (code, statuses["flags.config"]) == (1, "fail")
    assert f"{FLAG}: 'maybe' is not a boolean" in document["sentence"]
    raptor.call("PATCH", f"/apps/{APP}/config-vars", {FLAG: "1"})
    raptor.verify_until_green()


def test_a_guard_that_is_off_is_an_open_origin(raptor: Shipped) -> None:
    raptor.call("PATCH", f"/apps/{APP}/config-vars", {FLAG: "0"})
    until = time.monotonic() + 60
    while (answer := raptor.verify())[2]["health.origin_blocked"] != "fail":
        assert time.monotonic() < until, answer[1]["sentence"]
    assert answer[0] == 1
    raptor.call("PATCH", f"/apps/{APP}/config-vars", {FLAG: "1"})
    raptor.verify_until_green()


def test_a_database_moved_back_a_revision_is_named(raptor: Shipped) -> None:
    url = raptor.call("GET", f"/apps/{APP}/config-vars")["DATABASE_URL"]

    def alembic(*command: str) -> None:
        subprocess.run(
            [raptor.command()[0], "-m", "alembic", *command],
            cwd=raptor.root, env={**raptor.env, "DATABASE_URL": url}, check=True,
            capture_output=True, timeout=60,
        )  # fmt: skip

    alembic("downgrade", "-1")
    code, document, statuses = raptor.verify()
    assert (code, statuses["schema.head"]) == (1, "fail")
    assert "schema is at 0045, behind the code that serves (0046)" in document["sentence"]
    assert [finding["name"] for finding in document["diagnosis"]] == ["schema-behind-code"]
    alembic("upgrade", "head")
    raptor.verify_until_green()


def test_the_same_commit_again_is_neither_built_nor_released(raptor: Shipped) -> None:
    before = raptor.verify()[1]["release"]
    done = raptor.run("ship", "--json")
    assert (done.code, done.document["release"]) == (0, before)
    assert done.document["notes"]


def test_a_stopped_platform_is_unverified_and_is_not_started(raptor: Shipped) -> None:
    before = raptor.verify()[1]["release"]
    raptor.stop()
    code, document, statuses = raptor.verify()
    assert (code, document["verdict"], set(statuses.values())) == (3, "unverified", {"unknown"})
    assert raptor.run("platform", "status").code == 3
    assert raptor.run("platform", "serve", "--background").code == 0
    raptor.verify_until_green()  # apps, releases, dynos and the database are back
    assert raptor.verify()[1]["release"] == before
