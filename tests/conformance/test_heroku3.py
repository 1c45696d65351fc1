"""heroku3, a Python client of the Platform API, unchanged, on the embedded platform."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

pytestmark = [pytest.mark.platform, pytest.mark.xdist_group("heroku3")]


@pytest.fixture
def heroku(stage: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    api = importlib.import_module("heroku3.api")
    monkeypatch.setattr(api, "HEROKU_URL", stage.info.api)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    heroku3 = importlib.import_module("heroku3")
    connection = heroku3.from_key(stage.token)
    yield connection
    connection._session.close()


def test_heroku3_reads_and_changes_an_app(heroku: Any, stage: Any, demo: str) -> None:
    assert heroku.account().email == "operator@localhost"
    app = heroku.app("demo")
    assert [a.name for a in heroku.apps()] == ["demo"]
    assert app.config()["GREETING"] == "hello"
    app.config()["GREETING"] = "changed"
    stage.settled("demo")
    assert heroku.app("demo").config()["GREETING"] == "changed"
    assert [b.status for b in app.builds()] == ["succeeded"]
    stage.up("demo")
    assert [d.state for d in app.dynos()] == ["up"]
    assert app.process_formation()["web"].quantity == 1
    assert app.domains()[0].hostname == "demo.localhost"


def test_heroku3_rolls_back_and_runs_a_command(heroku: Any, stage: Any, demo: str) -> None:
    app = heroku.app("demo")
    app.rollback("v3")
    assert stage.settled("demo")["description"] == "Rollback to v3"
    dyno = app.run_command_detached("sleep 30")
    assert dyno.name.startswith("run.")
    assert dyno.name in [d.name for d in app.dynos()]
    app.kill_dyno(dyno.name)
    stage.eventually(lambda: dyno.name not in [d["name"] for d in stage.get("/apps/demo/dynos")])


@pytest.mark.parametrize("token", ["", "undefined", "null", "x" * 43])
def test_a_token_that_nobody_has_is_refused_everywhere(stage: Any, demo: str, token: str) -> None:
    for path in ("/account", "/apps", "/apps/demo", "/apps/demo/config-vars", "/apps/demo/dynos",
                 "/apps/demo/webhooks", "/truegreen/status", "/truegreen/tokens"):  # fmt: skip
        assert stage.call("GET", path, token=token).status_code == 401
    dyno = {"command": "id", "attach": True}
    assert stage.call("POST", "/apps/demo/dynos", dyno, token=token).status_code == 401
    assert stage.http.get("/apps", auth=("", token)).status_code == 401
    assert stage.http.get("/apps").status_code == 401


def test_a_collaborator_is_refused_whatever_is_not_an_app_of_his(stage: Any, demo: str) -> None:
    stage.post("/apps", {"name": "private"})
    token = stage.post("/truegreen/tokens", {"user": "eve@example.com"})["token"]
    stage.post("/apps/demo/collaborators", {"user": "eve@example.com"})
    for method, path in (
        ("GET", "/truegreen/status"), ("PATCH", "/truegreen/settings"),
        ("POST", "/truegreen/tokens"), ("POST", "/apps"), ("DELETE", "/apps/demo"),
        ("POST", "/apps/demo/collaborators"), ("GET", "/apps/private/config-vars"),
        ("POST", "/apps/private/dynos"), ("GET", "/private.git/info/refs"), ("GET", "//apps/demo"),
    ):  # fmt: skip
        assert stage.call(method, path, {}, token=token).status_code == 403, path
    assert stage.call("GET", "/apps/demo/config-vars", token=token).status_code == 200
    assert [a["name"] for a in stage.call("GET", "/apps", token=token).json()] == ["demo"]


def test_what_a_one_off_dyno_may_not_be_is_refused(stage: Any, demo: str) -> None:
    for values in ({}, {"command": ""}, {"command": 1}, {"command": "id", "attach": "yes"},
                   {"command": "id", "type": "../x"}, {"command": "id", "env": {"A B": "1"}},
                   {"command": "id", "env": ["x"]}, {"command": "i\0d"}):  # fmt: skip
        assert stage.call("POST", "/apps/demo/dynos", values).status_code == 422, values
    stage.post("/apps", {"name": "empty"})
    answer = stage.call("POST", "/apps/empty/dynos", {"command": "id"})
    assert (answer.status_code, answer.json()["id"]) == (422, "no_release")
