"""/apps/X/collaborators, and /truegreen/tokens: who else may use an app, and with which token.

On Heroku each user makes his tokens; here the operator makes them all.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.access import EMAIL, OPERATOR_EMAIL, Collaborator, Token
from truegreen.embedded.api.respond import USER, answer, app_of, body, control, invalid, not_found
from truegreen.embedded.records import App


def _collaborator_json(app: App, found: Collaborator) -> dict[str, Any]:
    return {
        "app": {"id": app.id, "name": app.name},
        "created_at": found.created_at,
        "id": found.id,
        "permissions": [{"name": name} for name in ("deploy", "operate", "view")],
        "role": "collaborator",
        "updated_at": found.created_at,
        "user": {"email": found.email, "federated": False, "id": found.id},
    }


def _owner_json(app: App) -> dict[str, Any]:
    return {
        "app": {"id": app.id, "name": app.name},
        "created_at": app.created_at,
        "id": app.id,
        "permissions": [{"name": name} for name in ("deploy", "manage", "operate", "view")],
        "role": "owner",
        "updated_at": app.created_at,
        "user": {**USER, "federated": False},
    }


def _all(request: Request, app: App) -> list[dict[str, Any]]:
    found = control(request).access.collaborators(app.id)
    return [_owner_json(app), *(_collaborator_json(app, c) for c in found)]


async def list_of_app(request: Request) -> Response:
    return answer(request, _all(request, app_of(request)))


def _email(value: object) -> str:
    if isinstance(value, dict):
        value = value.get("email")
    if not isinstance(value, str) or not EMAIL.fullmatch(value):
        raise invalid("user must be an email address.")
    if value.lower() == OPERATOR_EMAIL:
        raise invalid(f"{OPERATOR_EMAIL} owns every app.")
    return value.lower()


async def info(request: Request) -> Response:
    wanted = request.path_params["collaborator"].lower()
    for found in _all(request, app_of(request)):
        if wanted in (found["id"], found["user"]["id"], found["user"]["email"]):
            return answer(request, found)
    raise not_found("collaborator")


async def add(request: Request) -> Response:
    values, app = await body(request), app_of(request)
    made = control(request).access.add(app, _email(values.get("user")))
    return answer(request, _collaborator_json(app, made), 201)


async def remove(request: Request) -> Response:
    access, app = control(request).access, app_of(request)
    wanted = request.path_params["collaborator"]
    for found in access.collaborators(app.id):
        if wanted.lower() in (found.id, found.email):
            access.remove(found)
            return answer(request, _collaborator_json(app, found))
    raise not_found("collaborator")


def _token_json(token: Token) -> dict[str, Any]:
    return {"created_at": token.created_at, "id": token.id, "user": {"email": token.email}}


async def tokens(request: Request) -> Response:
    access = control(request).access
    if request.method == "POST":
        email = _email((await body(request)).get("user"))
        token, value = access.create_token(email)
        return answer(request, {**_token_json(token), "token": value.reveal()}, 201)
    return answer(request, [_token_json(token) for token in access.tokens()])


async def revoke(request: Request) -> Response:
    if not control(request).access.revoke(request.path_params["token"]):
        raise not_found("token")
    return answer(request, {})


ROUTES = [
    Route("/apps/{app}/collaborators", list_of_app),
    Route("/apps/{app}/collaborators", add, methods=["POST"]),
    Route("/apps/{app}/collaborators/{collaborator}", info),
    Route("/apps/{app}/collaborators/{collaborator}", remove, methods=["DELETE"]),
    Route("/truegreen/tokens", tokens, methods=["GET", "POST"]),
    Route("/truegreen/tokens/{token}", revoke, methods=["DELETE"]),
]
