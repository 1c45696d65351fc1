"""What webhooks are told, signed how, how often, and that they can never stop a release."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from truegreen.embedded.records import App
from truegreen.embedded.store import Store
from truegreen.embedded.webhooks import SIGNATURE, Webhooks


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state.sqlite3")
    yield store
    store.close()


def told(store: Store, level: str, answers: list[int], include: str = "api:build") -> Any:
    """What a receiver got of one build; it answers with ``answers`` in turn."""
    got: list[tuple[str, dict[str, str], bytes]] = []

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2])
        fields = {name.lower(): value for name, value in fields.items()}
        got.append((head, fields, await reader.readexactly(int(fields["content-length"]))))
        status = answers[min(len(got), len(answers)) - 1]
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
        writer.close()

    async def body() -> Webhooks:
        server = await asyncio.start_server(receive, "127.0.0.1", 0)
        app = store.add_app("demo")

        def describe(entity: str, key: str) -> tuple[App, dict[str, Any]]:
            return app, {"entity": entity, "id": key}

        hooks = Webhooks(store, describe, {"id": "u"}, pause=0.01)
        port = server.sockets[0].getsockname()[1]
        hooks.add(app, f"http://127.0.0.1:{port}/hook", (include,), level, "geheim", "Bearer x")
        try:
            store.add_build(app.id, "c0ffee", "stream")
            async with asyncio.timeout(30):
                while any(delivery.status == "pending" for delivery in hooks.deliveries):
                    await asyncio.sleep(0.01)
        finally:
            await hooks.close()
            server.close()
        return hooks

    return asyncio.run(body()), got


def test_a_delivery_is_signed_with_the_secret_and_carries_the_authorization(store: Store) -> None:
    hooks, got = told(store, "notify", [204])
    _, fields, body = got[0]
    wanted = base64.b64encode(hmac.digest(b"geheim", body, hashlib.sha256)).decode()
    assert fields[SIGNATURE.lower()] == wanted
    assert fields["authorization"] == "Bearer x"
    assert json.loads(body)["action"] == "create"
    assert json.loads(body)["data"]["entity"] == "build"
    assert [d.status for d in hooks.deliveries] == ["succeeded"]
    assert "geheim" not in repr(hooks.deliveries)


def test_sync_is_tried_again_and_notify_is_not(store: Store) -> None:
    hooks, got = told(store, "sync", [500, 503, 200])
    assert (len(got), hooks.deliveries[0].attempts, hooks.deliveries[0].code) == (3, 3, 200)
    assert hooks.deliveries[0].status == "succeeded"


def test_notify_is_tried_once(store: Store) -> None:
    hooks, got = told(store, "notify", [500])
    assert (len(got), hooks.deliveries[0].status) == (1, "failed")


def test_what_was_not_asked_for_is_not_told(store: Store) -> None:
    hooks, got = told(store, "sync", [200], include="api:release")
    assert (list(hooks.deliveries), got) == ([], [])


def test_a_webhook_that_cannot_be_described_stops_nothing(store: Store) -> None:
    def describe(entity: str, key: str) -> None:
        raise RuntimeError("broken")

    Webhooks(store, describe, {})
    app = store.add_app("demo")
    assert store.add_build(app.id, None, "stream").app_id == app.id


@pytest.mark.platform
def test_of_dynos_and_of_the_app_is_told_what_the_api_says_of_them(shared: Any) -> None:
    client = shared
    client.post("/apps", {"name": "heard"})
    client.deploy("heard", client.APP)
    (web,) = client.up("heard", 2)
    client.post("/apps/heard/webhooks", {
        "url": "http://127.0.0.1:1/", "include": ["api:dyno", "api:app"], "level": "notify",
    })  # fmt: skip

    def told() -> list[dict[str, Any]]:
        return [event["payload"] for event in client.get("/apps/heard/webhook-events")]

    client.patch("/apps/heard", {"maintenance": True})
    assert told()[0]["action"] == "update"
    assert told()[0]["data"] == client.get("/apps/heard")
    assert client.http.delete("/apps/heard/dynos/web.1").status_code == 202
    again = client.eventually(
        lambda: [t for t in told() if t["resource"] == "dyno" and t["data"]["state"] == "up"]
    )
    assert again[0]["data"] == client.get("/apps/heard/dynos/web.1")
    actions = [(t["action"], t["data"]["id"]) for t in told() if t["resource"] == "dyno"]
    fresh = again[0]["data"]["id"]
    assert actions == [("destroy", web["id"]), ("create", fresh), ("update", fresh)]
    client.post("/apps/heard/dynos", {"command": "true"})
    client.eventually(
        lambda: ("destroy", "run") in [(t["action"], t["data"].get("type")) for t in told()]
    )
