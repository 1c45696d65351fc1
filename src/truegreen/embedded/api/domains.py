"""/apps/X/domains: the app's own host name, and custom ones that the router then knows."""

from __future__ import annotations

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.api.respond import answer, app_of, body, control, invalid, not_found
from truegreen.embedded.domains import HOSTNAME, OWN_SUFFIX, Domain, DomainTaken
from truegreen.embedded.records import App


def _domain_json(app: App, domain: Domain, kind: str = "custom") -> dict[str, Any]:
    return {
        "acm_status": None,
        "acm_status_reason": None,
        "app": {"id": app.id, "name": app.name},
        "cname": f"{app.name}{OWN_SUFFIX}" if kind == "custom" else None,
        "created_at": domain.created_at,
        "hostname": domain.hostname,
        "id": domain.id,
        "kind": kind,
        "sni_endpoint": None,
        "status": "succeeded" if kind == "custom" else "none",
        "updated_at": domain.created_at,
    }


def _all(request: Request, app: App) -> list[dict[str, Any]]:
    own_id = str(uuid.uuid5(uuid.UUID(app.id), "domain"))
    own = Domain(own_id, app.id, f"{app.name}{OWN_SUFFIX}", app.created_at)
    custom = control(request).domains.of_app(app.id)
    return [_domain_json(app, own, "heroku"), *(_domain_json(app, d) for d in custom)]


async def list_of_app(request: Request) -> Response:
    return answer(request, _all(request, app_of(request)))


async def create(request: Request) -> Response:
    values, app = await body(request), app_of(request)
    hostname = values.get("hostname")
    name = hostname.lower() if isinstance(hostname, str) else ""
    if not HOSTNAME.fullmatch(name) or name.endswith(OWN_SUFFIX):
        raise invalid(f"{hostname!r} is no domain name that an app can have.")
    if values.get("sni_endpoint"):
        raise invalid("The embedded platform has no SNI endpoints: it serves plain HTTP.")
    try:
        domain = control(request).domains.add(app, name)
    except DomainTaken:
        raise invalid(f"{name} is already added to an app.") from None
    return answer(request, _domain_json(app, domain), 201)


async def info(request: Request) -> Response:
    for domain in _all(request, app_of(request)):
        if request.path_params["domain"] in (domain["id"], domain["hostname"]):
            return answer(request, domain)
    raise not_found("domain")


async def delete(request: Request) -> Response:
    domains, app = control(request).domains, app_of(request)
    for domain in domains.of_app(app.id):
        if request.path_params["domain"].lower() in (domain.id, domain.hostname):
            domains.remove(domain)
            return answer(request, _domain_json(app, domain))
    raise not_found("domain")


async def no_certificates(request: Request) -> Response:
    app_of(request)
    return answer(request, [])


ROUTES = [
    Route("/apps/{app}/domains", list_of_app),
    Route("/apps/{app}/domains", create, methods=["POST"]),
    Route("/apps/{app}/domains/{domain}", info),
    Route("/apps/{app}/domains/{domain}", delete, methods=["DELETE"]),
    Route("/apps/{app}/sni-endpoints", no_certificates),
]
