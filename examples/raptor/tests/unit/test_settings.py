"""Config over environment: what is pinned holds, what is not comes from the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from raptor.db import normalise
from raptor.settings import ROOT, Settings, SettingsError

from truegreen.config import load_config
from truegreen.flags import FlagError, pin
from truegreen.guard import GuardError

FLAG = "FLAG_ENFORCE_CF_ORIGIN"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "ORIGIN_SECRET", "ORIGIN_SECRET_PREVIOUS", *declared()):
        monkeypatch.delenv(name, raising=False)


def declared() -> list[str]:
    return list(load_config(ROOT).flags.declared)


def test_a_flag_that_is_not_pinned_comes_from_the_machine(monkeypatch) -> None:
    monkeypatch.setenv(FLAG, "1")
    monkeypatch.setenv("ORIGIN_SECRET", "production's")
    settings = Settings.read({"DATABASE": "x.db"})
    assert settings.flags[FLAG] is True
    assert settings.guard.mode == "enforce"


def test_a_pin_wins_over_the_machine(monkeypatch) -> None:
    monkeypatch.setenv(FLAG, "1")
    settings = Settings.read({"DATABASE": "x.db", FLAG: False})
    assert settings.guard.mode == "off"
    assert settings.flags.origin(FLAG).source == "config"


def test_a_pin_wins_over_create_apps_config_and_over_what_was_read(monkeypatch) -> None:
    monkeypatch.setenv(FLAG, "1")
    monkeypatch.setenv("ORIGIN_SECRET", "production's")
    settings = Settings.read({"DATABASE": "x.db"})
    with pin(FLAG_ENFORCE_CF_ORIGIN=False):
        assert settings.flags[FLAG] is False
        assert Settings.read({"DATABASE": "x.db", FLAG: True}).guard.mode == "off"
    assert settings.flags[FLAG] is True


def test_absent_and_off_are_told_apart(monkeypatch) -> None:
    absent = Settings.read({"DATABASE": "x.db"}).flags
    monkeypatch.setenv(FLAG, "0")
    off = Settings.read({"DATABASE": "x.db"}).flags
    assert (absent[FLAG], off[FLAG]) == (False, False)
    assert (absent.origin(FLAG).present, off.origin(FLAG).present) == (False, True)


@pytest.mark.parametrize(("name", "value"), [(FLAG, "maybe"), ("FLAG_BETA_NDA", "1")])
def test_a_flag_that_cannot_be_read_or_is_not_declared_stops_the_start(
    monkeypatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(FlagError, match=name):
        Settings.read({"DATABASE": "x.db"})


def test_a_pin_with_a_typo_is_an_error() -> None:
    with pytest.raises(FlagError, match="FLAG_BETA_NDA_ACKS"):
        Settings.read({"DATABASE": "x.db", "FLAG_BETA_NDA_ACKS": True})


def test_a_guard_without_its_secret_does_not_start(monkeypatch) -> None:
    monkeypatch.setenv(FLAG, "1")
    with pytest.raises(GuardError, match="ORIGIN_SECRET"):
        Settings.read({"DATABASE": "x.db"})


def test_no_database_is_said_with_the_fix() -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL is not set"):
        Settings.read({})


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("postgres://u:p@h:5432/d", "postgresql+psycopg://u:p@h:5432/d"),
        ("postgresql://u:p@h/d?sslmode=require", "postgresql+psycopg://u:p@h/d?sslmode=require"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgres://u:postgres%3A%2F%2F@h/d", "postgresql+psycopg://u:postgres%3A%2F%2F@h/d"),
        ("sqlite://", "sqlite://"),
        ("sqlite:////var/x.db", "sqlite:////var/x.db"),
        ("/var/x.db", "sqlite:////var/x.db"),
    ],
)
def test_a_platforms_url_becomes_psycopg_3(given: str, wanted: str) -> None:
    assert normalise(given) == wanted


def test_a_broken_url_is_refused_without_its_password() -> None:
    with pytest.raises(SettingsError) as caught:
        normalise("postgres://user:hunter2@host:port/name")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_settings_do_not_show_the_password() -> None:
    settings = Settings.read({"DATABASE": "postgres://user:hunter2@host/name"})
    assert "hunter2" not in repr(settings)


def test_truegreen_toml_says_what_the_service_needs() -> None:
    config = load_config(ROOT)
    assert config.name == "raptor"
    assert config.environments["production"].app == "raxx-api-prod"
    assert config.release.migrate == "alembic"
    assert config.smoke.seal
    assert config.smoke.leaks == "fail"
    assert {"DATABASE_URL", "ORIGIN_SECRET"} <= set(config.config_vars.required)


def test_every_flag_is_pinned_for_the_smoke_suite_and_off_there() -> None:
    pins = load_config(ROOT).smoke.env
    assert {name: pins.get(name) for name in declared()} == dict.fromkeys(declared(), "0")


def test_every_config_var_is_pinned_for_the_smoke_suite_but_the_one_that_the_seal_pins() -> None:
    config = load_config(ROOT)
    named = {*config.config_vars.required, *config.config_vars.optional}
    assert named - set(config.smoke.env) == {"DATABASE_URL"}


def test_app_json_sets_every_declared_flag_and_asks_for_what_is_required() -> None:
    app = json.loads((ROOT / "app.json").read_text())
    assert set(declared()) <= set(app["env"])
    assert app["env"][FLAG]["value"] == "1"
    for name in ("ORIGIN_SECRET", "HEALTH_TOKEN"):
        assert app["env"][name].keys() == {"description", "generator"}
        assert app["env"][name]["generator"] == "secret"
    assert app["addons"] == ["heroku-postgresql"]  # brings DATABASE_URL


def test_the_smoke_suite_has_the_fourteen_tests_of_the_incident() -> None:
    files = sorted((ROOT / "tests" / "smoke").glob("test_*.py"))
    counts = {path.name: path.read_text().count("\ndef test_") for path in files}
    assert counts == {
        "test_beta_walk_route_smoke_3682.py": 7,
        "test_beta_walkthrough_route_smoke_3455.py": 7,
    }


def test_no_smoke_file_pins_the_guard_by_itself() -> None:
    for path in Path(ROOT / "tests" / "smoke").glob("test_*.py"):
        assert f'"{FLAG}"' not in path.read_text(), path
