"""Webhooks: what is told of releases, builds, scaling, dynos and the app itself; signed
as on Heroku.

A hint, never the truth: who gets one reads the API again. ``notify`` is tried once, ``sync`` again
with back-off (devcenter: "App Webhooks"). What was delivered is kept in memory, the last `KEPT`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from truegreen.embedded.records import App, new_id, now
from truegreen.embedded.store import Store

if TYPE_CHECKING:
    import httpx

KEPT = 200
INCLUDES = ("api:app", "api:build", "api:dyno", "api:formation", "api:release")
LEVELS = ("notify", "sync")
SIGNATURE = "Heroku-Webhook-Hmac-SHA256"
_ATTEMPTS = {"notify": 1, "sync": 6}
_log = logging.getLogger(__name__)

Describe = Callable[[str, str], tuple[App, dict[str, Any]] | None]
"""Entity and id to its app and its JSON; None when it is gone."""


@dataclass(frozen=True)
class Webhook:
    id: str
    app_id: str
    url: str
    include: tuple[str, ...]
    level: str
    secret: str = field(repr=False)
    authorization: str | None = field(repr=False)
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class Delivery:
    """One event for one webhook. ``status``: pending, succeeded, failed; ``code`` of the last
    attempt, or ``error``."""

    id: str
    event_id: str
    webhook: Webhook
    include: str
    payload: Mapping[str, Any] = field(repr=False)
    created_at: str
    status: str = "pending"
    attempts: int = 0
    code: int | None = None
    error: str | None = None


class Webhooks:
    """``pause``: seconds before the second attempt; it doubles."""

    def __init__(self, store: Store, describe: Describe, user: Mapping[str, str],
                 pause: float = 1.0) -> None:  # fmt: skip
        self._store = store
        self._describe = describe
        self._user = user
        self._pause = pause
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None
        self.deliveries: deque[Delivery] = deque(maxlen=KEPT)
        store.watchers.append(self._happened)

    # rows

    def of_app(self, app_id: str) -> list[Webhook]:
        rows = self._store.query("SELECT * FROM webhooks WHERE app_id = ? ORDER BY rowid", app_id)
        return [Webhook(**{**dict(r), "include": tuple(json.loads(r["include"]))}) for r in rows]

    def add(
        self, app: App, url: str, include: tuple[str, ...], level: str, secret: str | None,
        authorization: str | None,
    ) -> Webhook:  # fmt: skip
        """A new webhook; its secret is made when none is given."""
        at = now()
        secret = secret or secrets.token_hex(32)
        hook = Webhook(new_id(), app.id, url, include, level, secret, authorization, at, at)
        self._store.change(
            "INSERT INTO webhooks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            hook.id, app.id, url, json.dumps(include), level, secret, authorization, at, at,
        )  # fmt: skip
        return hook

    def update(self, hook: Webhook, **changed: Any) -> Webhook:
        new = replace(hook, **changed, updated_at=now())
        self._store.change(
            'UPDATE webhooks SET url = ?, include = ?, level = ?, secret = ?, "authorization" = ?, '
            "updated_at = ? WHERE id = ?",
            new.url, json.dumps(new.include), new.level, new.secret, new.authorization,
            new.updated_at, hook.id,
        )  # fmt: skip
        return new

    def remove(self, hook: Webhook) -> None:
        self._store.change("DELETE FROM webhooks WHERE id = ?", hook.id)

    # deliveries

    def delivered(self, app_id: str) -> list[Delivery]:
        return [delivery for delivery in self.deliveries if delivery.webhook.app_id == app_id]

    def _happened(self, entity: str, action: str, key: str) -> None:
        self.tell(entity, action, lambda: self._describe(entity, key))

    def tell(
        self, entity: str, action: str, describe: Callable[[], tuple[App, dict[str, Any]] | None]
    ) -> None:
        """The app's webhooks for ``api:ENTITY`` are told what ``describe`` says now. Never raises:
        a hint that cannot be given must not stop a release."""
        include = f"api:{entity}"
        try:
            if (described := describe()) is None:
                return
            app, data = described
            event_id = new_id()
            for hook in self.of_app(app.id):
                if include in hook.include:
                    payload = self._payload(entity, action, data)
                    self._begin(Delivery(new_id(), event_id, hook, include, payload, now()))
        except Exception:  # noqa: BLE001 - logged, see above
            _log.exception("webhooks for %s %s", entity, action)

    def _payload(self, entity: str, action: str, data: dict[str, Any]) -> dict[str, Any]:
        at = now()
        return {
            "id": new_id(),
            "action": action,
            "actor": dict(self._user),
            "created_at": at,
            "data": data,
            "previous_data": {},
            "published_at": at,
            "resource": entity,
            "sequence": None,
            "updated_at": at,
            "version": "application/vnd.heroku+json; version=3",
        }

    def _begin(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, delivery: Delivery) -> None:
        pause = self._pause
        most = _ATTEMPTS[delivery.webhook.level]
        for number in range(1, most + 1):
            code, error = await self._attempt(delivery)
            good = code is not None and 200 <= code < 300
            ended = "succeeded" if good else "failed" if number == most else "pending"
            delivery = self._note(
                replace(delivery, status=ended, attempts=number, code=code, error=error)
            )
            if ended != "pending":
                return
            await asyncio.sleep(pause)
            pause *= 2

    def _note(self, delivery: Delivery) -> Delivery:
        for at, known in enumerate(self.deliveries):
            if known.id == delivery.id:
                self.deliveries[at] = delivery
        return delivery

    async def _attempt(self, delivery: Delivery) -> tuple[int | None, str | None]:
        from truegreen.light_httpx import httpx  # only when there is a webhook: slow to import

        if self._client is None:
            self._client = httpx.AsyncClient(timeout=20, trust_env=False)
        hook = delivery.webhook
        body = json.dumps(
            {
                **delivery.payload,
                "webhook_metadata": {
                    "attempt": {"id": new_id()},
                    "delivery": {"id": delivery.id},
                    "event": {"id": delivery.event_id, "include": delivery.include},
                    "webhook": {"id": hook.id},
                },
            }
        ).encode()
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: signature(hook.secret, body),
            "User-Agent": "TrueGreen-Webhooks",
        }
        if hook.authorization:
            headers["Authorization"] = hook.authorization
        try:
            answer = await self._client.post(hook.url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            _log.info("webhook %s: %s", hook.id, type(error).__name__)
            return None, type(error).__name__
        return answer.status_code, None

    async def close(self) -> None:
        """Drops what was not delivered yet."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()


def signature(secret: str, body: bytes) -> str:
    """The header's value: base64 of the HMAC-SHA256 of the body (devcenter: "App Webhooks")."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
