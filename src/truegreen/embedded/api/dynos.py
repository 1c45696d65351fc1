"""/apps/X/dynos: what runs now; restart one or all, stop one."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.api.respond import answer, app_of, control, not_found
from truegreen.embedded.control import Control
from truegreen.embedded.dynos import DynoState
from truegreen.embedded.records import App
from truegreen.embedded.releases import RELEASE_TYPE, SIZE, RunningCommand


def _common(app: App) -> dict[str, Any]:
    return {"app": {"id": app.id, "name": app.name}, "attach_url": None, "size": SIZE}


def dyno_json(app: App, dyno: DynoState) -> dict[str, Any]:
    return {
        **_common(app),
        "command": dyno.command,
        "created_at": _utc(dyno.created_at),
        "id": dyno.id,
        "name": dyno.name,
        "release": {"id": dyno.release_id, "version": dyno.release_version},
        "state": dyno.state,
        "type": dyno.type,
        "updated_at": _utc(dyno.updated_at),
    }


def _release_dyno(app: App, running: RunningCommand, command: str) -> dict[str, Any]:
    name = f"{RELEASE_TYPE}.{running.release.version}"
    return {
        **_common(app),
        "command": command,
        "created_at": running.started_at,
        "id": str(uuid.uuid5(uuid.UUID(running.release.id), name)),
        "name": name,
        "release": {"id": running.release.id, "version": running.release.version},
        "state": "up",
        "type": RELEASE_TYPE,
        "updated_at": running.started_at,
    }


def _utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def dynos_json(state: Control, app: App) -> list[dict[str, Any]]:
    found = [dyno_json(app, dyno) for dyno in state.dynos.states(app.name)]
    running = state.releases.running.get(app.id)
    if running is not None:
        slug = state.store.slug(running.release.slug_id or "")
        command = slug.process_types.get(RELEASE_TYPE, "") if slug else ""
        found.append(_release_dyno(app, running, command))
    return found


async def list_of_app(request: Request) -> Response:
    return answer(request, dynos_json(control(request), app_of(request)))


def _name(request: Request, app: App) -> str:
    wanted = request.path_params["dyno"]
    for dyno in control(request).dynos.states(app.name):
        if wanted in (dyno.name, dyno.id):
            return dyno.name
    raise not_found("dyno")


async def info(request: Request) -> Response:
    wanted = request.path_params["dyno"]
    for dyno in dynos_json(control(request), app_of(request)):
        if wanted in (dyno["name"], dyno["id"]):
            return answer(request, dyno)
    raise not_found("dyno")


async def restart_all(request: Request) -> Response:
    await control(request).dynos.restart(app_of(request).name)
    return answer(request, {}, 202)


async def restart_one(request: Request) -> Response:
    app = app_of(request)
    try:
        await control(request).dynos.restart(app.name, _name(request, app))
    except KeyError:
        raise not_found("dyno") from None
    return answer(request, {}, 202)


async def stop(request: Request) -> Response:
    app = app_of(request)
    try:
        await control(request).dynos.stop_dyno(app.name, _name(request, app))
    except KeyError:
        raise not_found("dyno") from None
    return answer(request, {}, 202)


ROUTES = [
    Route("/apps/{app}/dynos", list_of_app),
    Route("/apps/{app}/dynos", restart_all, methods=["DELETE"]),
    Route("/apps/{app}/dynos/{dyno}", info),
    Route("/apps/{app}/dynos/{dyno}", restart_one, methods=["DELETE"]),
    Route("/apps/{app}/dynos/{dyno}/actions/stop", stop, methods=["POST"]),
]
