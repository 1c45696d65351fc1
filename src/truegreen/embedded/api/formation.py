"""/apps/X/formation: how many dynos of each process type; GET, PATCH (all or one type)."""

from __future__ import annotations

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.api.respond import ApiError, answer, app_of, body, control, invalid
from truegreen.embedded.control import Control
from truegreen.embedded.records import App, FormationEntry
from truegreen.embedded.releases import SIZE

MOST = 20  # dynos a process type, on one machine


def formation_json(state: Control, app: App) -> list[dict[str, Any]]:
    entries = state.store.formation(app.id)
    return [
        {
            "app": {"id": app.id, "name": app.name},
            "command": command,
            "created_at": app.created_at,
            "docker_image": None,
            "id": str(uuid.uuid5(uuid.UUID(app.id), kind)),
            "quantity": entries[kind].quantity if kind in entries else 0,
            "size": entries[kind].size if kind in entries else SIZE,
            "type": kind,
            "updated_at": app.updated_at,
        }
        for kind, command in sorted(state.releases.process_types(app.id).items())
    ]


async def list_of_app(request: Request) -> Response:
    return answer(request, formation_json(control(request), app_of(request)))


def _one(state: Control, app: App, kind: str) -> dict[str, Any]:
    for entry in formation_json(state, app):
        if kind in (entry["type"], entry["id"]):
            return entry
    raise ApiError(404, "not_found", f"Couldn't find that process type ({kind}).")


async def info(request: Request) -> Response:
    return answer(request, _one(control(request), app_of(request), request.path_params["type"]))


def _wanted(state: Control, app: App, update: object) -> FormationEntry:
    if not isinstance(update, dict) or not isinstance(update.get("type"), str):
        raise invalid("An update needs a type.")
    entry = _one(state, app, update["type"])
    quantity = update.get("quantity", entry["quantity"])
    if isinstance(quantity, str) and quantity.isascii() and quantity.isdigit():
        quantity = int(quantity[:9])  # the Heroku CLI sends its quantities as text
    if not isinstance(quantity, int) or isinstance(quantity, bool) or not 0 <= quantity <= MOST:
        raise invalid(f"quantity of {entry['type']} must be a number from 0 to {MOST}.")
    size = update.get("size", entry["size"])
    size = size.get("name") if isinstance(size, dict) else size
    if not isinstance(size, str):
        raise invalid("size must be a name.")
    return FormationEntry(app.id, entry["type"], quantity, size)


async def update_all(request: Request) -> Response:
    state, values, app = control(request), await body(request), app_of(request)
    updates = values.get("updates")
    if not isinstance(updates, list):
        raise invalid("updates must be a list.")
    state.store.set_formation([_wanted(state, app, update) for update in updates])
    await state.releases.put_on_dynos(app.id)
    return answer(request, formation_json(state, app))


async def update_one(request: Request) -> Response:
    state, values, app = control(request), await body(request), app_of(request)
    entry = _wanted(state, app, {**values, "type": request.path_params["type"]})
    state.store.set_formation([entry])
    await state.releases.put_on_dynos(app.id)
    return answer(request, _one(state, app, entry.type))


ROUTES = [
    Route("/apps/{app}/formation", list_of_app),
    Route("/apps/{app}/formation", update_all, methods=["PATCH"]),
    Route("/apps/{app}/formation/{type}", info),
    Route("/apps/{app}/formation/{type}", update_one, methods=["PATCH"]),
]
