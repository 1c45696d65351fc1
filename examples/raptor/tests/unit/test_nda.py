"""The agreement: once a version, and only the version in force."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier, Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient
from raptor.beta.nda import in_force
from raptor.models import nda_acknowledgements
from sqlalchemy import select

ACKNOWLEDGEMENTS = "/beta/nda/acknowledgements"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "1.txt").write_text("one")
    return folder


def rows(app: Flask) -> list[tuple[int, int]]:
    with app.extensions["raptor"].engine.connect() as connection:
        table = nda_acknowledgements
        found = connection.execute(select(table.c.person_id, table.c.version).order_by(table.c.id))
        return [(row.person_id, row.version) for row in found]


def test_a_person_acknowledges_once_and_a_repetition_keeps_the_first_record(
    app: Flask, client: FlaskClient, sign_in
) -> None:
    ada = sign_in()
    version = client.get("/beta/nda", headers=ada).get_json()["version"]

    first = client.post(ACKNOWLEDGEMENTS, headers=ada, json={"version": version})
    again = client.post(ACKNOWLEDGEMENTS, headers=ada, json={"version": version})

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_json() == first.get_json()
    assert rows(app) == [(1, version)]
    read = client.get("/beta/nda", headers=ada).get_json()
    assert read["acknowledged_at"] == first.get_json()["acknowledged_at"]
    assert read["acknowledged_at"].endswith("+00:00")


def test_two_requests_at_the_same_moment_leave_one_record(app: Flask, sign_in) -> None:
    ada = sign_in()
    barrier = Barrier(2)
    statuses: list[int] = []

    def acknowledge() -> None:
        with app.test_client() as client:
            barrier.wait(timeout=30)
            response = client.post(ACKNOWLEDGEMENTS, headers=ada, json={"version": 2})
            statuses.append(response.status_code)

    threads = [Thread(target=acknowledge) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sorted(statuses) == [200, 201]
    assert rows(app) == [(1, 2)]


def test_one_persons_acknowledgement_is_nobody_elses(client: FlaskClient, sign_in) -> None:
    ada, grace = sign_in("ada@example.com"), sign_in("grace@example.com")
    client.post(ACKNOWLEDGEMENTS, headers=ada, json={"version": 2})

    assert client.get("/beta/nda", headers=grace).get_json()["acknowledged_at"] is None
    response = client.post(ACKNOWLEDGEMENTS, headers=grace, json={"version": 2})
    assert response.status_code == 201


def test_a_new_version_is_acknowledged_again_and_the_old_record_stays(
    make_app, sign_in, texts: Path
) -> None:
    ada = sign_in()
    app = make_app(NDA_TEXTS=texts)
    client = app.test_client()
    assert client.post(ACKNOWLEDGEMENTS, headers=ada, json={"version": 1}).status_code == 201

    (texts / "2.txt").write_text("two")

    read = client.get("/beta/nda", headers=ada).get_json()
    assert read == {"version": 2, "text": "two", "acknowledged_at": None}
    old = client.post(ACKNOWLEDGEMENTS, headers=ada, json={"version": 1})
    assert (old.status_code, old.get_json()) == (
        409,
        {"error": "not_the_version_in_force", "in_force": 2},
    )
    assert client.post(ACKNOWLEDGEMENTS, headers=ada, json={"version": 2}).status_code == 201
    assert rows(app) == [(1, 1), (1, 2)]


@pytest.mark.parametrize("body", [{}, {"version": "2"}, {"version": True}, [2], "2"])
def test_what_names_no_version_is_refused(app: Flask, client: FlaskClient, sign_in, body) -> None:
    response = client.post(ACKNOWLEDGEMENTS, headers=sign_in(), json=body)
    assert (response.status_code, response.get_json()["error"]) == (400, "version_missing")
    assert rows(app) == []


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"version=2", "application/x-www-form-urlencoded", 415),
        (b" " * 65537, "application/json", 413),
    ],
)
def test_a_body_that_is_no_small_json_is_refused_in_json(
    client: FlaskClient, sign_in, data: bytes, kind: str, status: int
) -> None:
    response = client.post(ACKNOWLEDGEMENTS, headers=sign_in(), data=data, content_type=kind)
    assert response.status_code == status
    assert response.get_json()["error"]


def test_the_highest_number_is_in_force_not_the_last_in_the_alphabet(texts: Path) -> None:
    (texts / "9.txt").write_text("nine")
    (texts / "10.txt").write_text("ten")
    (texts / "99.txt~").write_text("an editor's copy")
    assert in_force(texts).version == 10


def test_a_folder_without_a_text_says_so(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=r"holds no N\.txt"):
        in_force(tmp_path)
