"""The migrations: one line, each with a reason, and together they make what the models say."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from raptor.db import make_engine, schema_heads
from raptor.models import metadata
from raptor.settings import ROOT, SettingsError
from sqlalchemy import inspect

BASE = {"alembic_version", "people", "tokens"}


def tables(path: Path) -> set[str]:
    engine = make_engine(str(path))
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_there_is_one_line_of_revisions_each_with_a_reason(alembic_for) -> None:
    scripts = ScriptDirectory.from_config(alembic_for(Path("unused")))
    found = list(scripts.walk_revisions())
    assert [one.revision for one in found] == ["0046", "0045", "0044"]
    assert all("Why: " in (one.module.__doc__ or "") for one in found)
    assert schema_heads() == ("0046",)


def test_the_head_is_what_the_models_say(database: Path) -> None:
    engine = make_engine(str(database))
    try:
        with engine.connect() as connection:
            differences = compare_metadata(MigrationContext.configure(connection), metadata)
    finally:
        engine.dispose()
    assert differences == []


@pytest.mark.parametrize(
    ("revision", "wanted"),
    [
        ("0044", BASE),
        ("0045", BASE | {"nda_acknowledgements"}),
        ("0046", BASE | {"nda_acknowledgements", "walkthrough_progress"}),
    ],
)
def test_each_revision_adds_its_own_table_and_takes_it_away_again(
    tmp_path: Path, alembic_for, revision: str, wanted: set[str]
) -> None:
    path = tmp_path / "x.sqlite3"
    config = alembic_for(path)
    command.upgrade(config, revision)
    assert tables(path) == wanted
    command.upgrade(config, revision)  # again: the release command may run twice
    command.downgrade(config, "base")
    assert tables(path) == {"alembic_version"}


def test_migrating_without_a_database_says_which_variable(monkeypatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(SettingsError, match="DATABASE_URL is not set"):
        command.upgrade(Config(str(ROOT / "alembic.ini")), "head")


def test_the_url_of_the_environment_is_migrated(monkeypatch, tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite3"
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    command.upgrade(Config(str(ROOT / "alembic.ini")), "head")
    assert "walkthrough_progress" in tables(path)
