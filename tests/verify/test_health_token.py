"""The detail view's token: where verify finds it, and to whom it is sent."""

from __future__ import annotations

import json

import pytest

from truegreen.model import Verdict
from truegreen.secret import Secret
from truegreen.verify.probe import HttpAnswer
from truegreen.verify.run import Verification

from .scene import NEW, Scene

TOKEN = "t" * 32


def evidence(verification: Verification, check: str) -> tuple[str, str, str]:
    found = next(one for one in verification.situation.evidence if one.check == check)
    return str(found.status), found.observed, found.source


def brief(scene: Scene) -> None:
    told = {"status": "ok", "commit": NEW, "schema": None}
    scene.edge = lambda nth: HttpAnswer(
        "http://e.localhost:2/health", 200, {}, json.dumps(told).encode()
    )


def test_the_token_is_found_among_the_apps_config_vars(scene: Scene) -> None:
    scene.variables["HEALTH_TOKEN"] = TOKEN
    verification = scene.verify()
    assert set(scene.tokens) == {TOKEN}
    assert evidence(verification, "schema.head")[2].endswith("(schema)")
    assert TOKEN not in repr(verification)


def test_a_token_in_the_configuration_outranks_the_apps(scene: Scene) -> None:
    scene.variables["HEALTH_TOKEN"] = "another"
    scene.change(health_token=Secret(TOKEN))
    scene.verify()
    assert set(scene.tokens) == {TOKEN}


def test_without_a_token_the_schema_is_what_the_release_reported(scene: Scene) -> None:
    brief(scene)
    verification = scene.verify()
    assert set(scene.tokens) == {None}
    assert evidence(verification, "schema.head") == ("pass", "0046", "report of v3")
    assert verification.verdict is Verdict.GREEN


def test_without_config_vars_the_other_checks_go_on(scene: Scene) -> None:
    scene.away = {"config"}
    brief(scene)
    verification = scene.verify()
    assert evidence(verification, "health.edge")[0] == "pass"
    assert evidence(verification, "flags.config")[0] == "unknown"


@pytest.mark.parametrize(
    ("edge", "sent"),
    [
        ("https://api.example.com", TOKEN),
        ("http://api.example.com", None),
        ("http://127.0.0.1:80", TOKEN),
        ("http://localhost.example.com", None),
    ],
)
def test_the_token_does_not_go_where_others_can_read_it(
    scene: Scene, edge: str, sent: str | None
) -> None:
    scene.variables["HEALTH_TOKEN"] = TOKEN
    scene.edge_url = edge
    scene.verify()
    assert set(scene.tokens) == {sent}


@pytest.mark.parametrize("token", ["", "line\nfeed", "ümlaut"])
def test_a_token_that_no_header_carries_is_not_sent(scene: Scene, token: str) -> None:
    scene.variables["HEALTH_TOKEN"] = token
    scene.verify()
    assert set(scene.tokens) == {None}
