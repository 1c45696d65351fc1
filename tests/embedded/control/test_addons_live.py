"""A database of an app's own, from the add-on to a connection, over a kill and a restart."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from truegreen.embedded.locate import ensure_running

pytestmark = pytest.mark.platform


def ask(url: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(sql)  # type: ignore[arg-type]
        return found.fetchall() if found.description else []


def test_an_app_that_asks_for_postgres_gets_it_and_keeps_it(platform: Any, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    procfile = platform.APP["Procfile"] + f"release: echo $DYNO >> {ran}\n"
    platform.post("/apps", {"name": "demo-app"})
    platform.deploy("demo-app", {**platform.APP, "Procfile": procfile})
    addon = platform.post("/apps/demo-app/addons", {"plan": "heroku-postgresql:essential-0"})
    assert (addon["config_vars"], addon["state"]) == (["DATABASE_URL"], "provisioned")
    assert [a["id"] for a in platform.get("/apps/demo-app/addons")] == [addon["id"]]
    url = platform.get("/apps/demo-app/config-vars")["DATABASE_URL"]
    ask(url, "create table kept (n int); insert into kept values (7)")
    platform.up("demo-app", 3)
    assert ran.read_text() == "release.2\n"  # an add-on's release skips the release command
    release = platform.get("/apps/demo-app/releases/3")
    assert (release["status"], release["output_stream_url"]) == ("succeeded", None)

    second = platform.post("/apps/demo-app/addons", {"plan": "heroku-postgresql"})
    assert second["config_vars"] == ["HEROKU_POSTGRESQL_AMBER_URL"]
    other = platform.get("/apps/demo-app/config-vars")["HEROKU_POSTGRESQL_AMBER_URL"]
    assert ask(other, "select 1 from pg_tables where tablename = 'kept'") == []

    os.kill(platform.info.pid, signal.SIGKILL)
    ensure_running(platform.info.data, timeout=120)
    again = platform.get("/apps/demo-app/config-vars")["DATABASE_URL"]
    assert ask(again, "select n from kept") == [(7,)]
    assert platform.get("/apps/demo-app/releases/3/config-vars")["DATABASE_URL"] == again

    assert platform.http.delete(f"/apps/demo-app/addons/{second['name']}").status_code == 200
    assert "HEROKU_POSTGRESQL_AMBER_URL" not in platform.get("/apps/demo-app/config-vars")
    with pytest.raises(psycopg.OperationalError):
        ask(other, "select 1")
    rolled = platform.post("/apps/demo-app/releases", {"release": "2"})
    platform.settled("demo-app", rolled["id"])
    assert platform.get("/apps/demo-app/config-vars") == {"DATABASE_URL": again}
    assert platform.http.delete("/apps/demo-app").status_code == 200
    with pytest.raises(psycopg.OperationalError):
        ask(again, "select 1")


@pytest.mark.parametrize("plan", ["heroku-redis", "", None, 7, {"name": "x"}, []])
def test_another_add_on_is_refused_with_what_there_is(shared: Any, plan: object) -> None:
    if shared.http.get("/apps/demo").status_code == 404:
        shared.post("/apps", {"name": "demo"})
    answer = shared.http.post("/apps/demo/addons", json={"plan": plan})
    assert (answer.status_code, "heroku-postgresql" in answer.json()["message"]) == (422, True)
    assert not (shared.info.data / "pg").exists()
