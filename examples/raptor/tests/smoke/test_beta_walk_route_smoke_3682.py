"""The first stretch of the beta walk, in process: the agreement's routes exist only behind their
flag, and only for people who are signed in.

FLAG_ENFORCE_CF_ORIGIN is not pinned in `_TEST_APP_CONFIG`, and must not be read from the machine
either: production has it on, and then the guard answers each of these requests with 403. The pin
stands in truegreen.toml, `[smoke.env]`, for all smoke tests at once, and the seal of `truegreen
release`, `truegreen smoke` and `truegreen gate smoke` applies it. Plain pytest does not: it shows
what the machine's environment makes of these tests, which on 2026-06-21 was fourteen failures.
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
_OPEN = {"FLAG_BETA_NDA_ACK": True}


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "smoke.sqlite3")


@contextmanager
def _make_inprocess_client(database: str, **overrides: Any) -> Iterator[FlaskClient]:
    app = create_app({**_TEST_APP_CONFIG, "DATABASE": database, **overrides})
    with app.test_client() as client:
        yield client


def test_the_agreement_is_not_there_while_the_flag_is_off(database: str) -> None:
    with _make_inprocess_client(database) as client:
        response = client.get("/beta/nda")
        assert response.status_code == 404, response.text


def test_acknowledging_is_not_there_while_the_flag_is_off(database: str) -> None:
    with _make_inprocess_client(database) as client:
        response = client.post("/beta/nda/acknowledgements", json={"version": 1})
        assert response.status_code == 404, response.text


def test_the_flag_is_asked_before_sign_in(database: str) -> None:
    with _make_inprocess_client(database) as client:
        response = client.get("/beta/nda", headers={"Authorization": "Bearer anything"})
        assert response.status_code == 404, response.text


def test_the_agreement_wants_sign_in_once_the_flag_is_on(database: str) -> None:
    with _make_inprocess_client(database, **_OPEN) as client:
        response = client.get("/beta/nda")
        assert response.status_code == 401, response.text


def test_acknowledging_wants_sign_in_once_the_flag_is_on(database: str) -> None:
    with _make_inprocess_client(database, **_OPEN) as client:
        response = client.post("/beta/nda/acknowledgements", json={"version": 1})
        assert response.status_code == 401, response.text


def test_what_is_no_token_does_not_sign_anybody_in_to_the_agreement(database: str) -> None:
    with _make_inprocess_client(database, **_OPEN) as client:
        response = client.get("/beta/nda", headers={"Authorization": "Bearer anything"})
        assert response.status_code == 401, response.text


def test_the_agreement_does_not_open_the_walkthrough(database: str) -> None:
    with _make_inprocess_client(database, **_OPEN) as client:
        response = client.get("/beta/walkthrough")
        assert response.status_code == 404, response.text
