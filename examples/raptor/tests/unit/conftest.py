"""An app with everything pinned, on a migrated SQLite database; people who are signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from flask import Flask
from flask.testing import FlaskClient
from raptor import create_app, people
from raptor.settings import ROOT

MakeApp = Callable[..., Flask]
SignIn = Callable[..., dict[str, str]]

PINS: dict[str, Any] = {
    "TESTING": True,
    "FLAG_ENFORCE_CF_ORIGIN": False,
    "FLAG_BETA_NDA_ACK": True,
    "FLAG_BETA_WALKTHROUGH": True,
    "ORIGIN_SECRET": "unit-tests-only",
    "HEALTH_TOKEN": "opens-the-details-in-unit-tests",
}
DETAIL = {"X-Health-Token": PINS["HEALTH_TOKEN"]}


def _alembic_for(path: Path) -> Config:
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{path}")
    return config


@pytest.fixture
def alembic_for() -> Callable[[Path], Config]:
    """Alembic's configuration for a SQLite file."""
    return _alembic_for


@pytest.fixture
def detail() -> dict[str, str]:
    """The headers that open the detail view of /health."""
    return dict(DETAIL)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database at the head, to be copied: to migrate one takes longer than most tests."""
    path = tmp_path_factory.mktemp("migrated") / "head.sqlite3"
    command.upgrade(_alembic_for(path), "head")
    return path


@pytest.fixture
def database(tmp_path: Path, migrated: Path) -> Path:
    path = tmp_path / "raptor.sqlite3"
    path.write_bytes(migrated.read_bytes())
    return path


@pytest.fixture
def make_app(database: Path) -> Iterator[MakeApp]:
    """Makes apps; what is named is left to the environment instead of pinned."""
    made: list[Flask] = []

    def make(*left: str, **overrides: Any) -> Flask:
        pins = {name: value for name, value in PINS.items() if name not in left}
        made.append(create_app({**pins, "DATABASE": str(database), **overrides}))
        return made[-1]

    yield make
    for app in made:
        app.extensions["raptor"].engine.dispose()


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def sign_in(app: Flask) -> SignIn:
    """Adds somebody and gives the headers of their requests."""

    def add(email: str = "ada@example.com") -> dict[str, str]:
        with app.extensions["raptor"].engine.begin() as connection:
            return {"Authorization": f"Bearer {people.add(connection, email)}"}

    return add
