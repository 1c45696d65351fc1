"""Answers and doubles for the client's tests: JSON as the API gives it, a clock that is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from truegreen.heroku import HerokuClient
from truegreen.secret import Secret

TOKEN = "HRKU-0b5e55ed-t0k3n"
API = "http://127.0.0.1:5000"
AT = "2026-06-21T19:35:02Z"


class Time:
    """A clock that moves only when somebody sleeps, and a record of the sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.now += seconds


def client_of(
    handler: Callable[[httpx.Request], httpx.Response],
    *,
    api: str = API,
    time: Time | None = None,
    **kwargs: Any,
) -> HerokuClient:
    time = time or Time()
    return HerokuClient(
        api,
        Secret(TOKEN),
        transport=httpx.MockTransport(handler),
        sleep=time.sleep,
        clock=time.clock,
        random=lambda: 0.5,
        **kwargs,
    )


def release_json(version: int = 154, **changed: Any) -> dict[str, Any]:
    return {
        "id": f"01234567-89ab-cdef-0123-{version:012d}",
        "version": version,
        "status": "succeeded",
        "current": True,
        "slug": {"id": "5e1ec7ed-0000-4000-8000-000000000001"},
        "output_stream_url": "https://streams.example.com/1",
        "description": "Deploy 9f02",
        "created_at": AT,
        "updated_at": AT,
        "user": {"id": "u", "email": "sre-agent@example.com"},
        "eligible_for_rollback": True,
        "artifacts": [],
    } | changed


def build_json(number: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "id": f"b{number}",
        "status": "succeeded",
        "release": {"id": "r1"},
        "slug": {"id": "s1"},
        "output_stream_url": "https://streams.example.com/b1",
        "source_blob": {"url": "https://s3.example.com/secret", "version": "9f02"},
        "created_at": AT,
        "user": {"id": "u", "email": "sre-agent@example.com"},
    } | changed


def dyno_json(**changed: Any) -> dict[str, Any]:
    return {
        "id": "d1",
        "name": "web.1",
        "type": "web",
        "state": "up",
        "release": {"id": "r1", "version": 154},
        "command": "gunicorn",
        "size": "Basic",
        "created_at": AT,
        "updated_at": AT,
    } | changed


APP_JSON: dict[str, Any] = {
    "id": "a1",
    "name": "raxx-api-prod",
    "web_url": "http://raxx-api-prod.localhost:5001/",
    "edge_url": "http://raxx-api-prod.localhost:5002/",
    "git_url": "https://git.example.com/raxx-api-prod.git",
    "stack": {"id": "x", "name": "heroku-24"},
    "owner": {"id": "u", "email": "sre-agent@example.com"},
    "created_at": AT,
}
SLUG_JSON: dict[str, Any] = {
    "id": "s1",
    "commit": "9f02",
    "process_types": {"web": "gunicorn", "release": "truegreen release"},
    "stack": {"name": "heroku-24"},
    "created_at": AT,
    "blob": {"method": "get", "url": "https://s3.example.com/slug"},
}
FORMATION_JSON: dict[str, Any] = {
    "id": "f1",
    "type": "web",
    "quantity": 1,
    "size": "Basic",
    "command": "gunicorn",
}
ADDON_JSON: dict[str, Any] = {
    "id": "p1",
    "name": "postgresql-round-1",
    "plan": {"id": "x", "name": "heroku-postgresql:essential-0"},
    "state": "provisioned",
    "config_vars": ["DATABASE_URL"],
}
SOURCE_JSON: dict[str, Any] = {
    "source_blob": {
        "put_url": "https://s3.example.com/put?signature=ab",
        "get_url": "https://s3.example.com/get?signature=ab",
    }
}
ACCOUNT_JSON: dict[str, Any] = {"id": "u", "email": "sre-agent@example.com"}
