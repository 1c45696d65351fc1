"""The beta walkthrough, in process: its routes exist only behind their flag, and only for people
who are signed in.

FLAG_ENFORCE_CF_ORIGIN is not pinned here on purpose: truegreen.toml does it, in `[smoke.env]`, for
all smoke tests at once. The other smoke file's first lines say why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from raptor import create_app

_TEST_APP_CONFIG = {
    "TESTING": True,
    "FLAG_BETA_NDA_ACK": False,
    "FLAG_BETA_WALKTHROUGH": False,
}
_OPEN = {"FLAG_BETA_WALKTHROUGH": True}


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "smoke.sqlite3")


@contextmanager
def _make_inprocess_client(database: str, **overrides: Any) -> Iterator[FlaskClient]:
    app = create_app({**_TEST_APP_CONFIG, "DATABASE": database, **overrides})
    with app.test_client() as client:
        yield client


def test_the_walkthrough_is_not_there_while_the_flag_is_off(database: str) -> None:
    with _make_inprocess_client(database) as client:
        response = client.get("/beta/walkthrough")
        assert response.status_code == 404, response.text


def test_no_step_is_there_while_the_flag_is_off(database: str) -> None:
    with _make_inprocess_client(database) as client:
        response = client.post("/beta/walkthrough/steps/welcome")
        assert response.status_code == 404, response.text


def test_a_wrong_method_does_not_tell_that_the_walkthrough_exists(database: str) -> None:
    with _make_inprocess_client(database) as client:
        response = client.delete("/beta/walkthrough")
        assert response.status_code == 404, response.text


def test_the_walkthrough_wants_sign_in_once_the_flag_is_on(database: str) -> None:
    with _make_inprocess_client(database, **_OPEN) as client:
        response = client.get("/beta/walkthrough")
        assert response.status_code == 401, response.text


def test_a_step_wants_sign_in_once_the_flag_is_on(database: str) -> None:
    with _make_inprocess_client(database, **_OPEN) as client:
        response = client.post("/beta/walkthrough/steps/welcome")
        assert response.status_code == 401, response.text


def test_what_is_no_token_does_not_sign_anybody_in_to_the_walkthrough(database: str) -> None:
    with _make_inprocess_client(database, **_OPEN) as client:
        response = client.get("/beta/walkthrough", headers={"Authorization": "Basic cmFwdG9yOng="})
        assert response.status_code == 401, response.text


def test_which_steps_exist_is_told_only_to_people_who_are_signed_in(database: str) -> None:
    with _make_inprocess_client(database, **_OPEN) as client:
        response = client.post("/beta/walkthrough/steps/no-such-step")
        assert response.status_code == 401, response.text
