"""``app.json``: what is taken from it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from truegreen.errors import ConfigError
from truegreen.ship.manifest import parse_manifest, read_manifest, values


def test_values_secrets_addons_and_formation_are_read() -> None:
    manifest = parse_manifest(
        {
            "name": "left to Heroku",
            "env": {
                "A": "1",
                "B": {"value": "2"},
                "C": {"generator": "secret"},
                "D": {"description": "without a value: the owner sets it"},
            },
            "addons": ["heroku-postgresql:essential-0", {"plan": "heroku-redis"}],
            "formation": {"web": {"quantity": 2}, "worker": {}},
        },
        file="app.json",
    )
    assert values(manifest, generate=lambda: "made") == {"A": "1", "B": "2", "C": "made"}
    assert manifest.addons == ("heroku-postgresql:essential-0", "heroku-redis")
    assert dict(manifest.formation) == {"web": 2, "worker": 1}


def test_two_generated_secrets_differ_and_are_long() -> None:
    manifest = parse_manifest(
        {"env": {"A": {"generator": "secret"}, "B": {"generator": "secret"}}}, file="app.json"
    )
    made = values(manifest)
    assert made["A"] != made["B"]
    assert min(map(len, made.values())) >= 64


def test_without_the_file_nothing_is_asked_for(tmp_path: Path) -> None:
    manifest = read_manifest(tmp_path)
    assert (dict(manifest.env), manifest.addons, dict(manifest.formation)) == ({}, (), {})


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ([], ""),
        ({"env": []}, "env"),
        ({"env": {"A": 1}}, "env.A"),
        ({"env": {"A": {"value": 1}}}, "env.A.value"),
        ({"addons": "heroku-postgresql"}, "addons"),
        ({"addons": [3]}, "addons"),
        ({"formation": {"web": {"quantity": -1}}}, "formation.web.quantity"),
        ({"formation": {"web": {"quantity": True}}}, "formation.web.quantity"),
    ],
)
def test_what_is_wrong_is_named(data: object, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_manifest(data, file="app.json")
    assert (caught.value.file, caught.value.key) == ("app.json", key)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "app.json").write_text("{")
    with pytest.raises(ConfigError, match="not valid JSON"):
        read_manifest(tmp_path)
