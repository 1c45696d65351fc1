"""/apps/X/webhooks, and what became of them: webhook-deliveries, webhook-events."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.api.builds import build_json
from truegreen.embedded.api.dynos import any_dyno_json
from truegreen.embedded.api.formation import formation_json
from truegreen.embedded.api.releases import release_json
from truegreen.embedded.api.respond import (
    answer,
    app_of,
    body,
    control,
    invalid,
    not_found,
    text_field,
)
from truegreen.embedded.control import Control
from truegreen.embedded.dynos import DynoState
from truegreen.embedded.oneoff import OneOff
from truegreen.embedded.records import App
from truegreen.embedded.webhooks import INCLUDES, LEVELS, Delivery, Webhook


def describe(state: Control, entity: str, key: str) -> tuple[App, dict[str, Any]] | None:
    """The app and the JSON of what an event is about."""
    if entity == "formation":
        app = state.store.app(key.partition(":")[0])
        entries = formation_json(state, app) if app else []
        scaled = [entry for entry in entries if entry["type"] == key.partition(":")[2]]
        return (app, scaled[0]) if app and scaled else None
    found = state.store.release(key) if entity == "release" else state.store.build(key)
    app = state.store.app(found.app_id) if found else None
    if found is None or app is None:
        return None
    if entity == "release":
        release = state.store.release(key)
        return (app, release_json(state, app, release)) if release else None
    build = state.store.build(key)
    return (app, build_json(state, app, build)) if build else None


def tell_dyno(state: Control, action: str, dyno: DynoState | OneOff) -> None:
    """A dyno was made, has changed its state, or is no more."""

    def describe() -> tuple[App, dict[str, Any]] | None:
        app = state.store.app(dyno.app_id if isinstance(dyno, OneOff) else dyno.app)
        return (app, any_dyno_json(app, dyno)) if app else None

    state.webhooks.tell("dyno", action, describe)


def _webhook_json(app: App, hook: Webhook) -> dict[str, Any]:
    return {
        "app": {"id": app.id, "name": app.name},
        "created_at": hook.created_at,
        "id": hook.id,
        "include": list(hook.include),
        "level": hook.level,
        "updated_at": hook.updated_at,
        "url": hook.url,
    }


def _delivery_json(delivery: Delivery) -> dict[str, Any]:
    last = None
    if delivery.attempts:
        last = {
            "code": delivery.code,
            "created_at": delivery.created_at,
            "error_class": delivery.error,
            "id": delivery.id,
            "status": "succeeded" if delivery.status == "succeeded" else "failed",
            "updated_at": delivery.created_at,
        }
    return {
        "created_at": delivery.created_at,
        "event": {"id": delivery.event_id, "include": delivery.include},
        "id": delivery.id,
        "last_attempt": last,
        "next_attempt_at": None,
        "num_attempts": delivery.attempts,
        "status": delivery.status,
        "updated_at": delivery.created_at,
        "webhook": {"id": delivery.webhook.id, "level": delivery.webhook.level},
    }


def _event_json(delivery: Delivery) -> dict[str, Any]:
    return {
        "created_at": delivery.created_at,
        "id": delivery.event_id,
        "include": delivery.include,
        "payload": dict(delivery.payload),
        "updated_at": delivery.created_at,
    }


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    """The fields that are there, as they are kept. Raises ApiError 422."""
    found: dict[str, Any] = {}
    if "url" in values:
        url = text_field(values, "url") or ""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise invalid("url must be an http or https URL.")
        found["url"] = url
    if "include" in values:
        include = values["include"]
        if not isinstance(include, list) or not include or not set(include) <= set(INCLUDES):
            raise invalid(f"include must be of: {', '.join(INCLUDES)}.")
        found["include"] = tuple(include)
    if "level" in values:
        if values["level"] not in LEVELS:
            raise invalid(f"level must be one of: {', '.join(LEVELS)}.")
        found["level"] = values["level"]
    for name in ("secret", "authorization"):
        if value := text_field(values, name):
            if not value.isascii() or not value.isprintable():
                raise invalid(f"{name} must be printable ASCII.")
            found[name] = value
    return found


def _hook_of(request: Request, app: App) -> Webhook:
    for hook in control(request).webhooks.of_app(app.id):
        if hook.id == request.path_params["webhook"]:
            return hook
    raise not_found("webhook")


async def create(request: Request) -> Response:
    values, app = _checked(await body(request)), app_of(request)
    missing = [name for name in ("url", "include", "level") if name not in values]
    if missing:
        raise invalid(f"{missing[0]} is missing.")
    hook = control(request).webhooks.add(
        app, values["url"], values["include"], values["level"], values.get("secret"),
        values.get("authorization"),
    )  # fmt: skip
    # told when it was made here, and only now: as Heroku does
    headers = {} if "secret" in values else {"Heroku-Webhook-Secret": hook.secret}
    return answer(request, _webhook_json(app, hook), 201, headers)


async def list_of_app(request: Request) -> Response:
    app = app_of(request)
    hooks = control(request).webhooks.of_app(app.id)
    return answer(request, [_webhook_json(app, hook) for hook in hooks])


async def info(request: Request) -> Response:
    app = app_of(request)
    return answer(request, _webhook_json(app, _hook_of(request, app)))


async def update(request: Request) -> Response:
    values, app = _checked(await body(request)), app_of(request)
    hook = control(request).webhooks.update(_hook_of(request, app), **values)
    return answer(request, _webhook_json(app, hook))


async def delete(request: Request) -> Response:
    app = app_of(request)
    hook = _hook_of(request, app)
    control(request).webhooks.remove(hook)
    return answer(request, _webhook_json(app, hook))


async def deliveries(request: Request) -> Response:
    found = control(request).webhooks.delivered(app_of(request).id)
    status = request.query_params.get("eq[status]")
    return answer(
        request, [_delivery_json(d) for d in reversed(found) if status in (None, d.status)]
    )


async def delivery(request: Request) -> Response:
    for found in control(request).webhooks.delivered(app_of(request).id):
        if found.id == request.path_params["delivery"]:
            return answer(request, _delivery_json(found))
    raise not_found("webhook delivery")


async def events(request: Request) -> Response:
    found = control(request).webhooks.delivered(app_of(request).id)
    return answer(request, list({d.event_id: _event_json(d) for d in found}.values()))


async def event(request: Request) -> Response:
    for found in control(request).webhooks.delivered(app_of(request).id):
        if found.event_id == request.path_params["event"]:
            return answer(request, _event_json(found))
    raise not_found("webhook event")


ROUTES = [
    Route("/apps/{app}/webhooks", create, methods=["POST"]),
    Route("/apps/{app}/webhooks", list_of_app),
    Route("/apps/{app}/webhooks/{webhook}", info),
    Route("/apps/{app}/webhooks/{webhook}", update, methods=["PATCH"]),
    Route("/apps/{app}/webhooks/{webhook}", delete, methods=["DELETE"]),
    Route("/apps/{app}/webhook-deliveries", deliveries),
    Route("/apps/{app}/webhook-deliveries/{delivery}", delivery),
    Route("/apps/{app}/webhook-events", events),
    Route("/apps/{app}/webhook-events/{event}", event),
]
