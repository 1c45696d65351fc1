"""What a release does on Heroku it does here: which changes run the command, with whose code, what
can be rolled back to, and what dynos there are meanwhile (facts of Heroku's devcenter)."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from truegreen.embedded import faults

pytestmark = pytest.mark.platform


def files(client: Any, release: str) -> dict[str, str]:
    return {**client.APP, "Procfile": client.APP["Procfile"] + f"release: {release}\n"}


def newest(client: Any, app: str) -> Any:
    return client.settled(app, client.get(f"/apps/{app}/releases")[-1]["id"])


def test_a_rollback_and_a_config_change_run_the_command_of_their_own_code(shared: Any) -> None:
    shared.post("/apps", {"name": "whose"})
    shared.deploy("whose", files(shared, "echo old code says $WORD"))
    shared.deploy("whose", files(shared, "echo new code says $WORD"))
    shared.patch("/apps/whose/config-vars", {"WORD": "hello"})
    changed = newest(shared, "whose")
    assert (changed["version"], shared.output(changed)) == (4, "new code says hello\n")
    rolled = shared.post("/apps/whose/releases", {"release": "v2"})
    done = shared.settled("whose", rolled["id"])
    assert (done["status"], shared.output(done)) == ("succeeded", "old code says\n")
    assert done["output_stream_url"] != changed["output_stream_url"]


def test_a_rollback_whose_command_fails_leaves_the_old_release_current(shared: Any) -> None:
    shared.post("/apps", {"name": "back"})
    ran = "if [ -e ran ]; then exit 3; fi; touch ran"
    shared.deploy("back", files(shared, ran))
    shared.deploy("back", files(shared, "true"))
    done = shared.settled("back", shared.post("/apps/back/releases", {"release": "v2"})["id"])
    assert (done["status"], done["current"]) == ("failed", False)
    assert [r["version"] for r in shared.get("/apps/back/releases") if r["current"]] == [3]


def test_only_what_has_code_and_succeeded_is_eligible_for_rollback(shared: Any) -> None:
    shared.post("/apps", {"name": "eligible"})
    shared.deploy("eligible", files(shared, "true"))
    shared.deploy("eligible", files(shared, "exit 1"))
    found = shared.get("/apps/eligible/releases")
    assert [(r["status"], r["eligible_for_rollback"]) for r in found] == [
        ("succeeded", False),
        ("succeeded", True),
        ("failed", False),
    ]
    for version, code in (("v1", 422), ("v2", 201), ("v3", 422)):
        answer = shared.http.post("/apps/eligible/releases", json={"release": version})
        assert answer.status_code == code, version


def test_a_retry_of_a_failed_release_runs_its_command_again_and_can_succeed(shared: Any) -> None:
    shared.post("/apps", {"name": "again"})
    failed = shared.deploy("again", files(shared, "if [ ! -e ran ]; then touch ran; exit 1; fi"))
    assert failed["status"] == "failed"
    retried = shared.post("/apps/again/releases", {"slug": failed["slug"]["id"]})
    done = shared.settled("again", retried["id"])
    assert (done["status"], done["current"]) == ("succeeded", True)
    assert done["slug"] == failed["slug"]
    assert len(shared.get("/apps/again/builds")) == 1


def test_the_formation_says_how_many_even_while_no_dyno_is_up(shared: Any) -> None:
    shared.post("/apps", {"name": "wanted"})
    shared.deploy("wanted", {**shared.APP, "Procfile": "web: exit 1\n"})
    shared.patch("/apps/wanted/formation/web", {"quantity": 2})
    shared.eventually(
        lambda: [d["state"] for d in shared.get("/apps/wanted/dynos")] == ["crashed"] * 2
    )
    [entry] = shared.get("/apps/wanted/formation")
    assert (entry["type"], entry["quantity"]) == ("web", 2)
    shared.patch("/apps/wanted/formation/web", {"quantity": 0})
    assert shared.get("/apps/wanted/dynos") == []  # `ps:wait` would pass


def test_with_the_database_down_nobody_connects_and_all_is_there_again_after(shared: Any) -> None:
    shared.post("/apps", {"name": "stored"})
    shared.post("/apps/stored/addons", {"plan": "heroku-postgresql"})
    url = shared.get("/apps/stored/config-vars")["DATABASE_URL"]

    def ask(sql: str) -> list[Any]:
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute(sql)  # type: ignore[call-overload]
            return list(found.fetchall()) if found.description else []

    ask("create table kept (n int); insert into kept values (7)")
    with faults.injected(faults.DatabaseDown(), platform=shared.info):
        with pytest.raises(psycopg.OperationalError):
            ask("select 1")
        answer = shared.http.post("/apps/stored/addons", json={"plan": "heroku-postgresql"})
        assert answer.status_code >= 400
    assert ask("select n from kept") == [(7,)]  # at the same URL: who has it open comes back
