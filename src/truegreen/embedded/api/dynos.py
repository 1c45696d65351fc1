"""/apps/X/dynos: what runs now; restart one or all, stop one; one-off dynos."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.api.config_vars import NAME
from truegreen.embedded.api.respond import (
    ApiError,
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
from truegreen.embedded.oneoff import MOST, NoSlug, OneOff, TooMany, Wish
from truegreen.embedded.records import App
from truegreen.embedded.releases import RELEASE_TYPE, SIZE, RunningCommand
from truegreen.errors import UsageError

TYPE = re.compile(r"[A-Za-z0-9_-]{1,40}")


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


def any_dyno_json(app: App, dyno: DynoState | OneOff) -> dict[str, Any]:
    return _one_off_json(app, dyno) if isinstance(dyno, OneOff) else dyno_json(app, dyno)


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
    found += [_one_off_json(app, dyno) for dyno in state.oneoffs.of_app(app.id)]
    running = state.releases.running.get(app.id)
    if running is not None:
        slug = state.store.slug(running.release.slug_id or "")
        command = slug.process_types.get(RELEASE_TYPE, "") if slug else ""
        found.append(_release_dyno(app, running, command))
    return found


def _one_off_json(app: App, dyno: OneOff) -> dict[str, Any]:
    return {
        **_common(app),
        "attach_url": dyno.attach_url,
        "command": dyno.command,
        "created_at": dyno.created_at,
        "id": dyno.id,
        "name": dyno.name,
        "release": {"id": dyno.release.id, "version": dyno.release.version},
        "state": dyno.state,
        "type": dyno.type,
        "updated_at": dyno.updated_at,
    }


def _wish(values: dict[str, Any]) -> Wish:
    """Raises ApiError 422."""
    command, kind = text_field(values, "command"), text_field(values, "type") or "run"
    if not command or "\0" in command or len(command) > 100_000:
        raise invalid("command must be text.")
    if not TYPE.fullmatch(kind):
        raise invalid("type must be letters, digits, dashes and underscores.")
    env = values.get("env") or {}
    if not isinstance(env, dict):
        raise invalid("env must be an object.")
    texts = {name: str(value) for name, value in env.items() if value is not None}
    for name, text in texts.items():
        if not NAME.fullmatch(name) or "\0" in text:
            raise invalid(f"env: {name!r} is no variable.")
    attach, plain = values.get("attach") or False, values.get("force_no_tty") or False
    if not isinstance(attach, bool) or not isinstance(plain, bool):
        raise invalid("attach and force_no_tty must be true or false.")
    return Wish(command, attach, not plain, kind, texts)


async def create(request: Request) -> Response:
    state, values, app = control(request), await body(request), app_of(request)
    try:
        dyno = await state.oneoffs.create(app, _wish(values))
    except NoSlug:
        raise ApiError(422, "no_release", "The app has no code yet: deploy something.") from None
    except TooMany:
        raise ApiError(
            429, "too_many_dynos", f"The app has {MOST} one-off dynos, which is the most."
        ) from None
    except UsageError as error:
        raise ApiError(503, "service_unavailable", str(error)) from error
    return answer(request, _one_off_json(app, dyno), 201)


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
    # a one-off dyno that is restarted is gone
    if await control(request).oneoffs.stop(app.id, request.path_params["dyno"]):
        return answer(request, {}, 202)
    try:
        await control(request).dynos.restart(app.name, _name(request, app))
    except KeyError:
        raise not_found("dyno") from None
    return answer(request, {}, 202)


async def stop_type(request: Request) -> Response:
    state, app, kind = control(request), app_of(request), request.path_params["type"]
    found = await state.oneoffs.stop(app.id, kind=kind)
    for dyno in state.dynos.states(app.name):
        if dyno.type == kind:
            await state.dynos.stop_dyno(app.name, dyno.name)
            found += 1
    if not found:
        raise not_found("process type")
    return answer(request, {}, 202)


async def stop(request: Request) -> Response:
    app = app_of(request)
    if await control(request).oneoffs.stop(app.id, request.path_params["dyno"]):
        return answer(request, {}, 202)
    try:
        await control(request).dynos.stop_dyno(app.name, _name(request, app))
    except KeyError:
        raise not_found("dyno") from None
    return answer(request, {}, 202)


ROUTES = [
    Route("/apps/{app}/dynos", list_of_app),
    Route("/apps/{app}/dynos", create, methods=["POST"]),
    Route("/apps/{app}/dynos", restart_all, methods=["DELETE"]),
    Route("/apps/{app}/dynos/{dyno}", info),
    Route("/apps/{app}/dynos/{dyno}", restart_one, methods=["DELETE"]),
    Route("/apps/{app}/dynos/{dyno}/actions/stop", stop, methods=["POST"]),
    Route("/apps/{app}/formations/{type}/actions/stop", stop_type, methods=["POST"]),
]
