"""/apps: create, info, list, delete."""

from __future__ import annotations

import re
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.api.respond import (
    USER,
    ApiError,
    answer,
    app_of,
    body,
    control,
    invalid,
    text_field,
    user,
)
from truegreen.embedded.control import Control
from truegreen.embedded.records import App
from truegreen.embedded.store import NameTaken

NAME = re.compile(r"[a-z][a-z0-9-]{1,28}[a-z0-9]")
STACK = {"id": "00000000-0000-4000-8000-000000000024", "name": "heroku-24"}
REGION = {"id": "00000000-0000-4000-8000-000000000002", "name": "local"}


def app_json(state: Control, app: App) -> dict[str, Any]:
    newest = state.store.newest_release(app.id)
    built = state.store.newest_release(app.id, with_slug=True)
    slug = state.store.slug(built.slug_id or "") if built else None
    return {
        "acm": False,
        "archived_at": None,
        "build_stack": STACK,
        "buildpack_provided_description": "Python" if slug else None,
        "created_at": app.created_at,
        "edge_url": state.urls.edge_url(app.name),
        "git_url": f"{state.urls.api}/{app.name}.git",
        "id": app.id,
        "internal_routing": None,
        "maintenance": state.domains.maintenance(app.name),
        "name": app.name,
        "organization": None,
        "owner": USER,
        "region": REGION,
        "released_at": newest.created_at if newest else None,
        "repo_size": None,
        "slug_size": slug.size if slug else None,
        "space": None,
        "stack": STACK,
        "team": None,
        "updated_at": app.updated_at,
        "web_url": state.urls.web_url(app.name),
    }


def _name(values: dict[str, Any]) -> str | None:
    """Raises ApiError 422 for what is no app's name."""
    name = text_field(values, "name")
    if name is not None and not NAME.fullmatch(name):
        raise invalid(
            "Name must start with a letter, end with a letter or digit and can only contain "
            "lowercase letters, digits, and dashes; 3 to 30 of them."
        )
    return name


async def create(request: Request) -> Response:
    state, values = control(request), await body(request)
    name = _name(values) or f"app-{secrets.token_hex(5)}"
    try:
        app = state.store.add_app(name)
    except NameTaken:
        raise invalid(f"Name {name} is already taken") from None
    state.releases.create(app, description="Initial release", slug_id=None)
    return answer(request, app_json(state, app), 201)


async def list_all(request: Request) -> Response:
    state = control(request)
    return answer(request, [app_json(state, app) for app in _visible(request)])


def _visible(request: Request) -> list[App]:
    state, who = control(request), user(request)
    return [app for app in state.store.apps() if state.access.shared(app, who)]


async def info(request: Request) -> Response:
    return answer(request, app_json(control(request), app_of(request)))


async def update(request: Request) -> Response:
    state, values, app = control(request), await body(request), app_of(request)
    unknown = sorted(set(values) - {"maintenance", "name"})
    if unknown:
        raise invalid(f"Of an app, its name and maintenance can be changed, not {unknown[0]}.")
    name = _name(values) or app.name
    if "maintenance" in values:
        if not isinstance(values["maintenance"], bool):
            raise invalid("maintenance must be true or false.")
        state.domains.set_maintenance(app, values["maintenance"])
    if name != app.name:
        if not user(request).operator:
            raise ApiError(403, "forbidden", "Only its owner may rename an app.")
        try:
            app = await state.rename_app(app, name)
        except NameTaken:
            raise invalid(f"Name {name} is already taken") from None
    if values:
        state.webhooks.tell("app", "update", lambda: (app, app_json(state, app)))
    return answer(request, app_json(state, app))


async def delete(request: Request) -> Response:
    state, app = control(request), app_of(request)
    gone = app_json(state, app)
    state.webhooks.tell("app", "destroy", lambda: (app, gone))  # with the app they go as well
    await state.delete_app(app)
    return answer(request, gone)


ROUTES = [
    Route("/apps", create, methods=["POST"]),
    Route("/apps", list_all),
    Route("/users/~/apps", list_all),
    Route("/apps/{app}", info),
    Route("/apps/{app}", update, methods=["PATCH"]),
    Route("/apps/{app}", delete, methods=["DELETE"]),
]
