"""/apps/X/config-vars: read, change. A change is a release, with the release command."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.api.respond import answer, app_of, body, control, invalid

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


async def info(request: Request) -> Response:
    return answer(request, dict(sorted(app_of(request).config.items())))


async def update(request: Request) -> Response:
    state, values = control(request), await body(request)
    app = app_of(request)
    config = dict(app.config)
    for name, value in values.items():
        if not NAME.fullmatch(name):
            raise invalid(f"{name!r} is no name of a config var.")
        if value is None:
            config.pop(name, None)
        elif isinstance(value, str) and "\0" not in value:
            config[name] = value
        else:
            raise invalid(f"{name}: a config var's value is text, or null to remove it.")
    if config != app.config:
        removed = sorted(set(app.config) - set(config))
        changed = sorted(name for name in config if app.config.get(name) != config[name])
        parts = [f"Set {', '.join(changed)}"] if changed else []
        parts += [f"Remove {', '.join(removed)}"] if removed else []
        state.releases.change_config(app, config, f"{'; '.join(parts)} config vars")
    return answer(request, dict(sorted(config.items())))


ROUTES = [
    Route("/apps/{app}/config-vars", info),
    Route("/apps/{app}/config-vars", update, methods=["PATCH"]),
]
