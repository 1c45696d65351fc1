"""The Platform API over HTTP, against a real platform with real dynos."""

from __future__ import annotations

import base64
import os
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.platform
RELEASE = "release: echo $DYNO is $GREETING; exit ${CODE:-0}\n"


@pytest.fixture(scope="module")
def client(shared: Any) -> Any:
    return shared


@pytest.fixture(scope="module")
def demo(client: Any) -> str:
    """An app with a release command, deployed once, up at v2."""
    client.post("/apps", {"name": "demo"})
    procfile = client.APP["Procfile"] + RELEASE
    release = client.deploy("demo", {**client.APP, "Procfile": procfile})
    assert (release["version"], release["status"], release["current"]) == (2, "succeeded", True)
    client.up("demo", 2)
    return "demo"


def newest(client: Any, app: str) -> Any:
    return client.get(f"/apps/{app}/releases", range="version ..; max=1, order=desc")[0]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer undefined",
        "Bearer wrong",
        "Basic !!!",
        "Basic eDp5",
        "Bearer \xff",
        "Digest {token}",
    ],
)
def test_without_the_token_there_is_nothing(client: Any, header: str) -> None:
    value = header.format(token=client.info.token().reveal()).encode("latin-1")
    for path in ("/account", "/apps", "/truegreen/status", "/nowhere", "/apps/x/config-vars"):
        answer = httpx.get(client.info.api + path, headers={"Authorization": value})
        assert answer.status_code == 401
        assert answer.json() == {"id": "unauthorized", "message": "Invalid credentials provided."}


def test_the_token_is_taken_as_bearer_and_as_basic_password(client: Any) -> None:
    token = client.info.token().reveal()
    for value in (f"bearer {token}", "Basic " + base64.b64encode(f":{token}".encode()).decode()):
        answer = httpx.get(client.info.api + "/account", headers={"Authorization": value})
        assert answer.json()["email"]


@pytest.mark.parametrize("name", ["X", "a", "-ab", "ab-", "a_b", "a" * 31, "", "../x", "a.b", 7])
def test_a_name_that_no_host_could_have_is_refused(client: Any, name: object) -> None:
    answer = client.http.post("/apps", json={"name": name})
    assert (answer.status_code, answer.json()["id"]) == (422, "invalid_params")


def test_an_app_has_what_herokus_client_cannot_do_without(client: Any) -> None:
    made = client.post("/apps", {"name": "plain"})
    for key in ("build_stack", "stack", "owner", "region", "repo_size", "slug_size", "edge_url"):
        assert key in made
    assert client.get("/apps/plain") == client.get(f"/apps/{made['id']}")
    assert client.http.post("/apps", json={"name": "plain"}).json()["id"] == "invalid_params"
    assert [r["version"] for r in client.get("/apps/plain/releases")] == [1]
    assert client.get("/apps/plain/dynos") == []
    assert client.post("/apps")["name"].startswith("app-")


@pytest.mark.parametrize(
    "path",
    [
        "/apps/none", "/apps/none/releases", "/apps/demo/releases/99", "/apps/demo/releases/v99",
        "/apps/demo/releases/x", "/apps/demo/builds/x", "/apps/demo/slugs/x", "/nowhere",
        "/apps/demo/dynos/web.9", "/apps/demo/formation/worker", "/streams/nothing", "/streams/..",
        "/apps/demo/addons/x", "/apps/demo/releases/" + "9" * 400, "/log-streams/x",
    ],
)  # fmt: skip
def test_what_is_not_there_is_404_in_herokus_form(client: Any, demo: str, path: str) -> None:
    answer = client.http.get(path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"id", "message"}


@pytest.mark.parametrize("content", [b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_400(client: Any, content: bytes) -> None:
    answer = client.http.post("/apps", content=content)
    assert (answer.status_code, answer.json()["id"]) == (400, "bad_request")


def test_a_body_without_end_is_refused(client: Any) -> None:
    answer = client.http.post("/apps", content=b" " * (1024 * 1024 + 1))
    assert answer.status_code == 413


def test_the_app_answers_through_router_and_edge_with_its_config(client: Any, demo: str) -> None:
    client.patch("/apps/demo/config-vars", {"GREETING": "hi", "ORIGIN_SECRET": "s3cret"})
    release = client.settled(demo, newest(client, demo)["id"])
    assert client.output(release) == f"release.{release['version']} is hi\n"
    client.up(demo, release["version"])
    says = f"v{release['version']} c0ffee hi"
    assert client.ask(client.info.router, demo) == f"{says} None"
    assert client.ask(client.info.edge, demo) == f"{says} s3cret"


def test_config_vars_that_do_not_change_make_no_release(client: Any, demo: str) -> None:
    client.patch("/apps/demo/config-vars", {"SAME": "1"})
    before = newest(client, demo)
    assert client.patch("/apps/demo/config-vars", {"SAME": "1", "GONE": None})["SAME"] == "1"
    assert newest(client, demo)["id"] == before["id"]
    assert before["description"] == "Set SAME config vars"
    client.settled(demo, before["id"])


@pytest.mark.parametrize("values", [{"A": 1}, {"A=B": "x"}, {"": "x"}, {"A": "a\0b"}, {"A": []}])
def test_a_config_var_that_no_environment_could_hold_is_refused(
    client: Any, demo: str, values: dict[str, object]
) -> None:
    assert client.http.patch("/apps/demo/config-vars", json=values).status_code == 422


def test_a_failed_release_command_is_failed_and_not_current(client: Any, demo: str) -> None:
    client.patch("/apps/demo/config-vars", {"CODE": "13"})
    failed = client.settled(demo, newest(client, demo)["id"])
    assert (failed["status"], failed["current"]) == ("failed", False)
    current = [r for r in client.get("/apps/demo/releases") if r["current"]]
    assert [r["version"] < failed["version"] for r in current] == [True]
    assert client.get("/apps/demo/config-vars")["CODE"] == "13"
    client.patch("/apps/demo/config-vars", {"CODE": None})
    fixed = client.settled(demo, newest(client, demo)["id"])
    assert (fixed["status"], fixed["current"]) == ("succeeded", True)


def test_a_rollback_brings_code_and_config_of_then_as_a_new_release(client: Any, demo: str) -> None:
    answer = client.http.post("/apps/demo/releases", json={"release": "1"})
    assert answer.status_code == 422
    rolled = client.post("/apps/demo/releases", {"release": "v2"})
    done = client.settled(demo, rolled["id"])
    assert (done["description"], done["status"]) == ("Rollback to v2", "succeeded")
    assert client.get(f"/apps/demo/releases/{done['version']}/config-vars") == {}
    assert client.get("/apps/demo/config-vars") == {}
    client.up(demo, done["version"])


def test_a_retry_runs_the_slug_again_without_a_build(client: Any, demo: str) -> None:
    slug = client.get("/apps/demo/releases/2")["slug"]["id"]
    builds = client.get("/apps/demo/builds")
    made = client.post("/apps/demo/releases", {"slug": slug, "description": "Retry"})
    done = client.settled(demo, made["id"])
    assert (done["slug"]["id"], done["description"]) == (slug, "Retry")
    assert client.get("/apps/demo/builds") == builds
    assert client.http.post("/apps/demo/releases", json={}).status_code == 422
    assert client.http.post("/apps/demo/releases", json={"slug": "x"}).status_code == 404


def test_dynos_are_scaled_restarted_and_stopped(client: Any, demo: str) -> None:
    client.post("/apps", {"name": "scaled"})
    client.deploy("scaled", client.APP)
    client.up("scaled", 2)
    client.patch("/apps/scaled/formation", {"updates": [{"type": "web", "quantity": 2}]})
    dynos = client.eventually(lambda: len(d := client.up("scaled", 2)) == 2 and d)
    assert {d["name"] for d in dynos} == {"web.1", "web.2"}
    assert client.http.delete("/apps/scaled/dynos/web.1").status_code == 202
    assert client.eventually(
        lambda: client.up("scaled", 2)[0]["id"] not in {d["id"] for d in dynos}
    )
    assert client.http.post("/apps/scaled/dynos/web.2/actions/stop").status_code == 202
    assert client.get("/apps/scaled/dynos/web.2")["state"] == "down"
    assert client.http.delete("/apps/scaled/dynos").status_code == 202
    client.patch("/apps/scaled/formation/web", {"quantity": 0})
    assert client.get("/apps/scaled/dynos") == []
    assert client.get("/apps/scaled/formation")[0]["quantity"] == 0


@pytest.mark.parametrize(
    ("update", "status"),
    [
        ({"type": "worker", "quantity": 1}, 404), ({"quantity": 1}, 422), ("x", 422),
        ({"type": "web", "quantity": -1}, 422), ({"type": "web", "quantity": 10_000}, 422),
        ({"type": "web", "quantity": True}, 422), ({"type": "web", "quantity": "two"}, 422),
    ],
)  # fmt: skip
def test_a_formation_that_cannot_be_is_refused(
    client: Any, demo: str, update: object, status: int
) -> None:
    answer = client.http.patch("/apps/demo/formation", json={"updates": [update]})
    assert answer.status_code == status


def test_lists_come_in_pieces_and_unchanged_answers_are_304(client: Any, demo: str) -> None:
    first = client.http.get(
        "/apps/demo/releases", headers={"Range": "version ..; max=1, order=desc"}
    )
    assert first.status_code == 206
    second = client.http.get("/apps/demo/releases", headers={"Range": first.headers["next-range"]})
    assert second.json()[0]["version"] == first.json()[0]["version"] - 1
    bad = client.http.get("/apps/demo/releases", headers={"Range": "bytes=0-5"})
    assert bad.status_code == 416
    whole = client.http.get("/apps/demo")
    again = client.http.get("/apps/demo", headers={"If-None-Match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_release_in_a_list_is_as_it_is_by_itself_whatever_changed_since(client: Any) -> None:
    def listed(name: str) -> list[Any]:
        found: list[Any] = client.get(f"/apps/{name}/releases")
        assert found == [client.get(f"/apps/{name}/releases/{each['id']}") for each in found]
        return found

    client.post("/apps", {"name": "listed"})
    procfile = client.APP["Procfile"] + RELEASE
    client.deploy("listed", {**client.APP, "Procfile": procfile})
    assert [r["current"] for r in listed("listed")] == [False, True]
    client.patch("/apps/listed/config-vars", {"CODE": "3", "GREETING": '"\u00e9\u2028'})
    client.get("/apps/listed/releases")  # while it is pending
    client.settled("listed", newest(client, "listed")["id"])
    after = listed("listed")
    assert [r["status"] for r in after] == ["succeeded", "succeeded", "failed"]
    assert [r["eligible_for_rollback"] for r in after] == [False, True, False]
    client.patch("/apps/listed", {"name": "renamed"})
    assert {r["app"]["name"] for r in listed("renamed")} == {"renamed"}


def test_output_is_resumed_where_it_broke_off(client: Any, demo: str) -> None:
    url = client.get("/apps/demo/releases/2")["output_stream_url"]
    text = httpx.get(url).text
    assert text.startswith("release.2")
    resumed = httpx.get(url, headers={"Range": "bytes=4-"})
    assert (resumed.status_code, resumed.text) == (206, text[4:])
    assert httpx.get(url, headers={"Range": f"bytes={len(text)}-"}).status_code == 416


def test_a_follower_reads_while_the_command_runs(client: Any) -> None:
    client.post("/apps", {"name": "live"})
    procfile = client.APP["Procfile"] + "release: echo one; sleep 1; echo two\n"
    build, _ = client.build("live", client.tarball({**client.APP, "Procfile": procfile}))
    release = client.get(f"/apps/live/releases/{build['release']['id']}")
    seen: list[str] = []
    with httpx.stream("GET", release["output_stream_url"], timeout=60) as stream:
        for part in stream.iter_text():
            seen.append(part)
            status = client.get(f"/apps/live/releases/{release['id']}")["status"]
            assert status == ("pending" if "two" not in "".join(seen) else status)
    assert "".join(seen) == "one\ntwo\n"
    assert client.get(f"/apps/live/releases/{release['id']}")["status"] == "succeeded"


def test_a_release_command_is_listed_as_a_dyno_while_it_runs(client: Any) -> None:
    client.post("/apps", {"name": "busy"})
    procfile = client.APP["Procfile"] + "release: echo one; sleep 2\n"
    client.build("busy", client.tarball({**client.APP, "Procfile": procfile}))
    found = client.eventually(lambda: client.get("/apps/busy/dynos"))
    assert [(d["name"], d["type"], d["state"]) for d in found] == [("release.2", "release", "up")]


def test_the_log_of_an_app_has_its_dynos_words_and_the_platforms(client: Any, demo: str) -> None:
    client.ask(client.info.router, demo)
    session = client.post("/apps/demo/log-sessions", {"lines": 1500, "tail": False})
    text = httpx.get(session["logplex_url"]).text
    assert "heroku[web.1]: State changed from starting to up" in text
    assert "heroku[router]: " in text
    events = httpx.get(session["logplex_url"], headers={"Accept": "text/event-stream"}).text
    assert events.startswith("retry: 1\n\n")
    assert "data: " in events


def test_runtime_metadata_is_a_feature_that_can_be_off(client: Any) -> None:
    client.post("/apps", {"name": "bare"})
    path = "/apps/bare/features/runtime-dyno-metadata"
    assert client.get(path)["enabled"] is True
    client.patch(path, {"enabled": False})
    client.deploy("bare", client.APP)
    client.up("bare", 2)
    assert client.ask(client.info.router, "bare") == "- - - None"


def test_a_deleted_app_leaves_nothing(client: Any) -> None:
    client.post("/apps", {"name": "gone"})
    client.deploy("gone", client.APP)
    client.up("gone", 2)
    slugs = client.info.data / "slugs"
    before = len(list(slugs.iterdir()))
    status = client.get("/truegreen/status")
    pid = next(a for a in status["apps"] if a["name"] == "gone")["dynos"][0]["pid"]
    assert client.http.delete("/apps/gone").status_code == 200
    assert client.http.get("/apps/gone").status_code == 404
    assert len(list(slugs.iterdir())) == before - 1
    assert not (client.info.data / "logs" / "app-gone").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    client.post("/apps", {"name": "gone"})


def test_settings_are_changed_and_wrong_ones_refused(client: Any) -> None:
    assert client.get("/truegreen/settings")["on-release-failure"] == "hold"
    changed = client.patch("/truegreen/settings", {"release-timeout": "60"})
    assert changed["release-timeout"] == "60.0"
    for values in ({"x": "1"}, {"release-timeout": "0"}, {"on-release-failure": "maybe"}):
        answer = client.http.patch("/truegreen/settings", json=values)
        assert answer.status_code == 422
    assert client.get("/truegreen/settings") == changed


def test_many_clients_at_once_get_each_a_release_of_their_own(client: Any) -> None:
    client.post("/apps", {"name": "crowd"})

    def change(number: int) -> None:
        client.patch("/apps/crowd/config-vars", {f"V{number}": "1"})

    threads = [threading.Thread(target=change, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    versions = [r["version"] for r in client.get("/apps/crowd/releases")]
    assert versions == list(range(1, 10))
    assert len(client.get("/apps/crowd/config-vars")) == 8


LOOK = """
import os, pathlib
print(*os.environ.values())
for file in pathlib.Path().rglob("*"):
    print(file, file.is_symlink(), file.is_file() and file.read_bytes()[:16])
"""


def test_neither_environment_nor_folder_of_a_dyno_holds_the_token_or_the_database(
    client: Any,
) -> None:
    client.post("/apps", {"name": "curious"})
    files = {**client.APP, "Procfile": "release: python look.py\n", "look.py": LOOK}
    release = client.deploy("curious", files)
    out = client.output(release)
    assert "look.py False b'" in out
    assert client.info.token().reveal() not in out
    assert "SQLite format" not in out
    assert " True " not in out  # and no link leads there
    names = {path.name for path in client.info.data.iterdir()}
    assert not {path for path in names if f"{client.info.data}/{path}" in out} - {"slugs", "venvs"}


def test_everything_listens_on_the_loopback_alone(client: Any) -> None:
    own = Path(f"/proc/{client.info.pid}")
    sockets = {str(link.readlink()) for link in (own / "fd").iterdir()}
    listening = []
    for table in ("tcp", "tcp6"):
        for line in (own / "net" / table).read_text(encoding="ascii").splitlines()[1:]:
            row = line.split()
            if row[3] == "0A" and f"socket:[{row[9]}]" in sockets:
                listening.append(row[1].partition(":")[0])
    assert len(listening) >= 3  # API, router, edge
    assert set(listening) == {"0100007F"}
