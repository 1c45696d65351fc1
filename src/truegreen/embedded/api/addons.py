"""/apps/X/addons: a Postgres of the app's own."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.addons import SERVICE, NoSuchPlan
from truegreen.embedded.api.respond import ApiError, answer, app_of, body, control, not_found
from truegreen.embedded.records import Addon, App
from truegreen.errors import TrueGreenError


def addon_json(app: App, addon: Addon) -> dict[str, Any]:
    return {
        "addon_service": {"id": "00000000-0000-4000-8000-000000000003", "name": SERVICE},
        "actions": [],
        "app": {"id": app.id, "name": app.name},
        "billed_price": {"cents": 0, "contract": False, "unit": "month"},
        "billing_entity": {"id": app.id, "name": app.name, "type": "app"},
        "config_vars": [addon.config_var],
        "created_at": addon.created_at,
        "id": addon.id,
        "name": addon.name,
        "plan": {"id": "00000000-0000-4000-8000-000000000004", "name": addon.plan},
        "provider_id": addon.database,
        "state": "provisioned",
        "updated_at": addon.created_at,
        "web_url": None,
    }


async def list_of_app(request: Request) -> Response:
    state, app = control(request), app_of(request)
    return answer(request, [addon_json(app, addon) for addon in state.store.addons(app.id)])


async def create(request: Request) -> Response:
    state, values, app = control(request), await body(request), app_of(request)
    plan = values.get("plan")
    plan = plan.get("name") if isinstance(plan, dict) else plan
    try:
        addon = await state.addons.create(app, str(plan or ""))
    except NoSuchPlan:
        raise ApiError(
            422, "invalid_params", f"Couldn't find the add-on plan {plan!r}: there is {SERVICE}."
        ) from None
    except TrueGreenError as error:
        raise ApiError(503, "service_unavailable", f"No database was made: {error}") from error
    return answer(request, addon_json(app, addon), 201)


def _addon_of(request: Request, app: App) -> Addon:
    wanted = request.path_params["addon"]
    for addon in control(request).store.addons(app.id):
        if wanted in (addon.id, addon.name):
            return addon
    raise not_found("add-on")


async def info(request: Request) -> Response:
    app = app_of(request)
    return answer(request, addon_json(app, _addon_of(request, app)))


async def delete(request: Request) -> Response:
    app = app_of(request)
    addon = _addon_of(request, app)
    await control(request).addons.delete(app, addon)
    return answer(request, addon_json(app, addon))


ROUTES = [
    Route("/apps/{app}/addons", list_of_app),
    Route("/apps/{app}/addons", create, methods=["POST"]),
    Route("/apps/{app}/addons/{addon}", info),
    Route("/apps/{app}/addons/{addon}", delete, methods=["DELETE"]),
]
