"""What is always there: /health with and without its database, the guard, and errors in JSON."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from flask.testing import FlaskClient
from sqlalchemy import event

SECRET = "of-the-edge"
BLOCKED = (403, {"error": "direct_origin_blocked"})


def test_health_tells_everybody_code_and_release_and_asks_no_database(
    make_app, monkeypatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEROKU_SLUG_COMMIT", "c0ffee")
    monkeypatch.setenv("HEROKU_RELEASE_VERSION", "v12")
    client = make_app(DATABASE=str(tmp_path / "no-such-folder" / "x.sqlite3")).test_client()
    for headers in ({}, {"X-Health-Token": "guessed"}, {"X-Health-Token": ""}):
        response = client.get("/health", headers=headers)
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert response.get_json() == {
            "status": "ok",
            "service": "raptor",
            "commit": "c0ffee",
            "release": "v12",
            "schema": None,
            "guard": None,
            "flags": None,
        }


def test_health_has_no_details_without_a_token_of_its_own(make_app) -> None:
    client = make_app(HEALTH_TOKEN="").test_client()
    assert client.get("/health", headers={"X-Health-Token": ""}).get_json()["schema"] is None


def test_the_environments_token_opens_the_details(monkeypatch, make_app) -> None:
    monkeypatch.setenv("HEALTH_TOKEN", "e" * 16)
    client = make_app("HEALTH_TOKEN").test_client()
    body = client.get("/health", headers={"X-Health-Token": "e" * 16}).get_json()
    assert body["schema"] == {"current": "0046", "heads": ["0046"]}


def test_health_tells_the_details_to_whoever_has_the_token(make_app, detail, monkeypatch) -> None:
    monkeypatch.setenv("HEROKU_SLUG_COMMIT", "c0ffee")
    monkeypatch.setenv("HEROKU_RELEASE_VERSION", "v12")
    response = make_app().test_client().get("/health", headers=detail)
    body = response.get_json()
    assert response.status_code == 200
    assert (body["status"], body["service"]) == ("ok", "raptor")
    assert (body["commit"], body["release"]) == ("c0ffee", "v12")
    assert body["schema"] == {"current": "0046", "heads": ["0046"]}
    assert body["guard"]["mode"] == "off"
    assert body["flags"]["declared"] == 3
    assert response.headers["Cache-Control"] == "no-store"


def test_health_asks_the_database_one_question(app, client: FlaskClient, detail) -> None:
    asked: list[str] = []
    engine = app.extensions["raptor"].engine
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    client.get("/health", headers=detail)
    client.get("/health", headers=detail)
    assert asked == ["SELECT version_num FROM alembic_version"] * 2


def test_health_sees_a_schema_that_moved_while_the_app_ran(
    client: FlaskClient, database: Path, alembic_for, detail
) -> None:
    command.downgrade(alembic_for(database), "0045")
    body = client.get("/health", headers=detail).get_json()
    assert body["schema"] == {"current": "0045", "heads": ["0046"]}


def test_health_of_a_database_that_was_never_migrated_names_no_revision(
    make_app, tmp_path: Path, detail
) -> None:
    client = make_app(DATABASE=str(tmp_path / "empty.sqlite3")).test_client()
    response = client.get("/health", headers=detail)
    assert response.status_code == 200
    assert response.get_json()["schema"]["current"] is None


def test_health_is_503_when_the_database_does_not_answer(make_app, tmp_path: Path, detail) -> None:
    app = make_app(DATABASE=str(tmp_path / "no-such-folder" / "x.sqlite3"))
    response = app.test_client().get("/health", headers=detail)
    assert (response.status_code, response.get_json()["status"]) == (503, "error")
    assert "no-such-folder" not in response.text


@pytest.mark.parametrize("path", ["/", "/health", "/me", "/beta/nda", "/no-such-path"])
@pytest.mark.parametrize(
    "headers",
    [{}, {"CF-Connecting-IP": "203.0.113.7"}, {"X-Origin-Secret": "guessed"}],
    ids=["nothing", "forged", "guessed"],
)
def test_nothing_gets_past_the_guard_but_the_edge(make_app, path: str, headers) -> None:
    client = make_app(FLAG_ENFORCE_CF_ORIGIN=True, ORIGIN_SECRET=SECRET).test_client()
    response = client.get(path, headers=headers)
    assert (response.status_code, response.get_json()) == BLOCKED


def test_the_edge_gets_through_the_guard(make_app, detail) -> None:
    client = make_app(FLAG_ENFORCE_CF_ORIGIN=True, ORIGIN_SECRET=SECRET).test_client()
    client.get("/health", headers=detail)
    response = client.get("/health", headers={"X-Origin-Secret": SECRET, **detail})
    guard = response.get_json()["guard"]
    assert (response.status_code, guard["mode"]) == (200, "enforce")
    assert guard["last_refused_at"].endswith("Z")


def test_both_secrets_are_good_while_rotating(make_app) -> None:
    client = make_app(
        FLAG_ENFORCE_CF_ORIGIN=True,
        ORIGIN_SECRET="the-new-one",
        ORIGIN_SECRET_PREVIOUS="the-old-one",
    ).test_client()
    statuses = [
        client.get("/", headers={"X-Origin-Secret": one}).status_code
        for one in ("the-new-one", "the-old-one", "the-older-one")
    ]
    assert statuses == [200, 200, 403]


def test_the_machines_flag_guards_an_app_that_does_not_pin_it(monkeypatch, make_app) -> None:
    """The mechanism of 2026-06-21, as long as create_app falls back to the environment."""
    monkeypatch.setenv("FLAG_ENFORCE_CF_ORIGIN", "1")
    monkeypatch.setenv("ORIGIN_SECRET", SECRET)
    client = make_app("FLAG_ENFORCE_CF_ORIGIN", "ORIGIN_SECRET").test_client()
    response = client.get("/beta/nda")
    assert (response.status_code, response.get_json()) == BLOCKED


@pytest.mark.parametrize("flag", ["FLAG_BETA_NDA_ACK", "FLAG_BETA_WALKTHROUGH"])
def test_each_flag_closes_its_own_part(make_app, sign_in, flag: str) -> None:
    ada = sign_in()
    client = make_app(**{flag: False}).test_client()
    found = {
        path: client.get(path, headers=ada).status_code
        for path in ("/beta/nda", "/beta/walkthrough")
    }
    closed = "/beta/nda" if flag == "FLAG_BETA_NDA_ACK" else "/beta/walkthrough"
    assert found == {path: 404 if path == closed else 200 for path in found}


def test_what_is_always_open_works_at_the_schema_before_the_beta(
    make_app, sign_in, database: Path, alembic_for, detail
) -> None:
    ada = sign_in()
    command.downgrade(alembic_for(database), "0044")
    client = make_app(FLAG_BETA_NDA_ACK=False, FLAG_BETA_WALKTHROUGH=False).test_client()
    assert client.get("/me", headers=ada).status_code == 200
    assert client.get("/health", headers=detail).get_json()["schema"]["current"] == "0044"
    assert client.get("/beta/nda", headers=ada).status_code == 404
    assert client.post("/beta/walkthrough/steps/welcome", headers=ada).status_code == 404


def test_errors_are_json_and_kept_nowhere(client: FlaskClient) -> None:
    missing, wrong = client.get("/no-such-path"), client.post("/health")
    assert (missing.status_code, missing.get_json()) == (404, {"error": "not_found"})
    assert (wrong.status_code, wrong.get_json()) == (405, {"error": "method_not_allowed"})
    assert "GET" in wrong.headers["Allow"]
    assert missing.headers["Cache-Control"] == "no-store"


def test_the_front_page_says_what_this_is(client: FlaskClient) -> None:
    assert client.get("/").get_json()["service"] == "raptor"
