"""Sign-in by bearer token, and how an operator makes one."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

UNKNOWN = "rpt_" + "A" * 43  # well-formed, and nobody's


def test_a_token_signs_its_person_in(client: FlaskClient, sign_in) -> None:
    sign_in("grace@example.com")
    response = client.get("/me", headers=sign_in("ada@example.com"))
    assert (response.status_code, response.get_json()["email"]) == (200, "ada@example.com")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer rpt_short",
        f"Bearer {UNKNOWN}",
        f"Bearer {UNKNOWN}\u00e9",
        "Basic YWRhOnNlY3JldA==",
        f"Token {UNKNOWN}",
    ],
)
@pytest.mark.parametrize("path", ["/me", "/beta/nda", "/beta/walkthrough"])
def test_anything_else_is_401_and_says_how(client: FlaskClient, header, path: str) -> None:
    headers = {} if header is None else {"Authorization": header}
    response = client.get(path, headers=headers)
    assert (response.status_code, response.get_json()) == (401, {"error": "not_signed_in"})
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_command_prints_a_token_that_works_and_is_not_kept(
    app: Flask, client: FlaskClient, database: Path
) -> None:
    result = app.test_cli_runner().invoke(args=["person", "add", " Ada@Example.com "])
    assert result.exit_code == 0, result.output
    token = result.output.strip()

    me = client.get("/me", headers={"Authorization": f"Bearer {token}"}).get_json()
    assert me["email"] == "ada@example.com"
    assert token.encode() not in database.read_bytes()


@pytest.mark.parametrize("email", ["ada", "a b@example.com", "@", "a@b", "x" * 250 + "@x.com"])
def test_the_command_refuses_what_is_no_address(app: Flask, email: str) -> None:
    result = app.test_cli_runner().invoke(args=["person", "add", email])
    assert result.exit_code == 1
    assert "is not an e-mail address" in result.output


def test_nobody_is_added_twice(app: Flask, sign_in) -> None:
    sign_in("ada@example.com")
    result = app.test_cli_runner().invoke(args=["person", "add", "ADA@example.com"])
    assert result.exit_code == 1
    assert "is there already" in result.output


def test_a_new_token_revokes_the_old_ones(app: Flask, client: FlaskClient, sign_in) -> None:
    old = sign_in("ada@example.com")
    result = app.test_cli_runner().invoke(args=["person", "new-token", "ada@example.com"])
    new = {"Authorization": f"Bearer {result.output.strip()}"}

    assert client.get("/me", headers=old).status_code == 401
    assert client.get("/me", headers=new).status_code == 200


def test_a_token_for_nobody_is_an_error(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["person", "new-token", "ada@example.com"])
    assert result.exit_code == 1
    assert "nobody has the address" in result.output
