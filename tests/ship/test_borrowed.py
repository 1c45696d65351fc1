"""What of an app's config vars may be used elsewhere, and that nothing else gets through."""

import json

import pytest

from truegreen.config import Config, ConfigVars, Environment, FlagDeclaration, Flags
from truegreen.ship.borrowed import borrow

FLAGS = {
    "FLAG_ON": FlagDeclaration("FLAG_ON", "bool"),
    "FLAG_TEXT": FlagDeclaration("FLAG_TEXT", "str"),
    "FLAG_HIDDEN": FlagDeclaration("FLAG_HIDDEN", "bool", secret=True),
}


@pytest.fixture
def config(tmp_path: object) -> Config:
    return Config(
        root=tmp_path,  # type: ignore[arg-type]
        file=None,
        name="x",
        default_env="production",
        environments={"production": Environment("production", "x")},
        flags=Flags(declared=FLAGS),
        config_vars=ConfigVars(required=("PLAIN_BUT_NAMED",), optional=("MAYBE",)),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("FLAG_ON", "1"), ("FLAG_TEXT", "beta"), ("FLAG_UNDECLARED", "x"), ("LOG_LEVEL", "info")],
)
def test_flags_and_plain_settings_are_kept(config: Config, name: str, value: str) -> None:
    borrowed = borrow(config, "app", {name: value})
    assert (borrowed.values[name], borrowed.kept, borrowed.replaced) == (value, (name,), ())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLAIN_BUT_NAMED", "s3cret"),
        ("MAYBE", "s3cret"),
        ("REDIS_URL", "rediss://:s3cret@host:1"),
        ("FLAG_TEXT", "https://user:s3cret@host/"),
        ("FLAG_HIDDEN", "s3cret"),
        ("STRIPE_KEY", "s3cret"),
        ("SESSION_COOKIE", "s3cret"),
        ("DB_PASS", "s3cret"),
        ("SOMETHING", "s3cret" + "0123456789abcdef01234567"),
        ("CERT_TEXT", "-----BEGIN PRIVATE KEY-----\ns3cret"),
        ("OPS_MAIL", "s3cret@example.com"),
    ],
)
def test_secrets_and_addresses_are_replaced_and_cannot_be_read_back(
    config: Config, name: str, value: str
) -> None:
    borrowed = borrow(config, "app", {name: value})
    assert [one.name for one in borrowed.replaced] == [name]
    assert borrowed.kept == ()
    assert borrowed.values[name] not in ("", value)
    assert "s3cret" not in repr(borrowed) + json.dumps(borrowed.as_json())


def test_dummies_of_addresses_keep_their_scheme_and_lead_nowhere(config: Config) -> None:
    borrowed = borrow(config, "app", {"REDIS_URL": "rediss://:p@prod.example.com:6379/0"})
    assert borrowed.values["REDIS_URL"] == "rediss://dummy.invalid/redis_url"


def test_an_empty_value_stays_empty(config: Config) -> None:
    assert borrow(config, "app", {"PLAIN_BUT_NAMED": ""}).values["PLAIN_BUT_NAMED"] == ""


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "sqlite"])
def test_a_database_is_said_to_need_a_scratch_one(config: Config, scheme: str) -> None:
    borrowed = borrow(config, "app", {"DATABASE_URL": f"{scheme}://u:s3cret@prod/db"})
    assert borrowed.databases == {"DATABASE_URL": scheme.partition("+")[0]}
    assert borrowed.replaced[0].by == "a scratch database"
    assert "prod" not in borrowed.values["DATABASE_URL"]
