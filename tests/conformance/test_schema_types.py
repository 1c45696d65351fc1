"""Our answers have the types of the Platform API's schema, and the fields that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .typescript import Schema

pytestmark = [pytest.mark.platform, pytest.mark.xdist_group("schema")]
PACKAGE = Path("@heroku-cli") / "schema" / "lib" / "index.d.ts"

# What Heroku's schema names and the platform does not answer: features that it does not have.
ABSENT = {
    "Account": {
        "acknowledged_msa", "acknowledged_msa_at", "country_of_residence", "default_organization",
        "default_team", "delinquent_at", "federated", "identity_provider", "italian_customer_terms",
        "italian_partner_terms", "last_login", "sms_number", "suspended_at",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def schema(cli: Any) -> Schema:
    for folder in Path(cli.program).resolve().parents:
        file = folder / PACKAGE
        if folder.name == "node_modules" and file.is_file():
            return Schema(file.read_text(encoding="utf-8"))
    pytest.fail(f"{PACKAGE} is not beside the Heroku CLI: .ci/heroku-cli installs it")


@pytest.fixture(scope="module")
def full(stage: Any, demo: str) -> Any:
    """An app that has one of everything."""
    stage.post("/apps/demo/domains", {"hostname": "www.example.com"})
    stage.post("/apps/demo/collaborators", {"user": "eve@example.com"})
    hook = {"include": ["api:release"], "level": "sync", "url": "http://127.0.0.1:1/hook"}
    stage.post("/apps/demo/webhooks", hook)
    stage.call("PATCH", "/apps/demo/config-vars", {"HOOKED": "1"})
    stage.settled("demo")
    stage.post("/apps/demo/dynos", {"command": "sleep 60", "attach": False})
    stage.eventually(lambda: stage.get("/apps/demo/webhook-deliveries"))
    return stage


LISTS = {
    "App": "/apps", "Release": "/apps/demo/releases", "Build": "/apps/demo/builds",
    "Dyno": "/apps/demo/dynos", "Formation": "/apps/demo/formation",
    "Domain": "/apps/demo/domains", "Collaborator": "/apps/demo/collaborators",
    "AppWebhookDelivery": "/apps/demo/webhook-deliveries",
    "AppWebhookEvent": "/apps/demo/webhook-events", "AppWebhook": "/apps/demo/webhooks",
    "AppFeature": "/apps/demo/features", "AddOn": "/apps/demo/addons",
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_each_in_the_list_has_the_schemas_types_and_is_the_same_alone(
    schema: Schema, full: Any, name: str
) -> None:
    path = LISTS[name]
    found = full.get(path)
    assert found or name == "AddOn"
    for value in found:
        assert problems(schema, name, value) == []
        if name == "AddOn":
            continue
        key = value["name"] if name == "AppFeature" else value["id"]
        alone = full.get(f"{path}/{key}")
        assert problems(schema, name, alone) == []
        assert alone.keys() == value.keys()


@pytest.mark.parametrize(
    ("name", "path"),
    [("Account", "/account"), ("RateLimit", "/account/rate-limits"),
     ("ConfigVars", "/apps/demo/config-vars"),
     ("ConfigVars", "/apps/demo/releases/v2/config-vars")],
)  # fmt: skip
def test_what_there_is_one_of_has_the_schemas_types(
    schema: Schema, full: Any, name: str, path: str
) -> None:
    assert problems(schema, name, full.get(path)) == []


def test_what_is_made_and_changed_is_answered_in_the_schemas_types(
    schema: Schema, full: Any
) -> None:
    assert problems(schema, "App", full.post("/apps", {"name": "made"})) == []
    assert problems(schema, "Source", full.post("/sources", None)) == []
    logs = full.post("/apps/demo/log-sessions", {"lines": 1})
    assert problems(schema, "LogSession", logs) == []
    slug = next(r["slug"]["id"] for r in full.get("/apps/demo/releases") if r["slug"])
    assert problems(schema, "Slug", full.get(f"/apps/demo/slugs/{slug}")) == []
    release = full.post("/apps/demo/releases", {"slug": slug})
    assert problems(schema, "Release", release) == []
    full.settled("demo")
    updates = {"updates": [{"type": "web", "quantity": 1}]}
    for formation in full.call("PATCH", "/apps/demo/formation", updates).json():
        assert problems(schema, "Formation", formation) == []
    dyno = full.post("/apps/demo/dynos", {"command": "true", "attach": True})
    assert problems(schema, "Dyno", dyno) == []
    changed = full.call("PATCH", "/apps/demo", {"maintenance": False}).json()
    assert problems(schema, "App", changed) == []
    assert problems(schema, "App", full.call("DELETE", "/apps/made").json()) == []


def problems(schema: Schema, name: str, value: Any) -> list[str]:
    absent = {f"{name}.{one} is not there" for one in ABSENT.get(name, ())}
    return [one for one in schema.problems(name, value) if one not in absent]


SAMPLE = """
/** a comment with { braces } */
export interface Thing {
  id?: string
  state?: 'up' | 'down'
  owner?: { email?: string; [k: string]: any } | null
  parts?: Part[]
  sizes?: (number | null)[]
}
export type Part = string
"""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""), ({"id": 1}, "Thing.id is 1"), ({"state": "left"}, "Thing.state is 'left'"),
        ({"owner": None}, ""), ({"owner": {"email": None}}, "Thing.owner.email is None"),
        ({"parts": ["a", 2]}, "Thing.parts[1] is 2"), ({"sizes": [1, None, 2.5]}, ""),
        ({"sizes": [True]}, "Thing.sizes[0] is True"), ({"more": 1}, "Thing.more is not in"),
        ({"parts": None}, "Thing.parts is None"),
    ],
)  # fmt: skip
def test_the_checker_sees_what_is_wrong(change: dict[str, Any], said: str) -> None:
    good = {"id": "1", "state": "up", "owner": {"email": "a", "x": 1}, "parts": [], "sizes": []}
    found = Schema(SAMPLE).problems("Thing", {**good, **change})
    assert (found == []) if not said else any(one.startswith(said) for one in found)
    assert Schema(SAMPLE).problems("Thing", {}) == [
        f"Thing.{name} is not there" for name in sorted(good)
    ]
