"""/truegreen/faults: put in, list, take out. What they are is `embedded/faults.py`'s."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.api.respond import answer, body, control, invalid
from truegreen.embedded.faults import PATH, parse
from truegreen.errors import UsageError


async def add(request: Request) -> Response:
    values = {name: str(value) for name, value in (await body(request)).items()}
    try:
        fault = parse(values.pop("kind", ""), values)
    except UsageError as error:
        raise invalid(str(error)) from None
    key = await control(request).faults.add(fault)
    return answer(request, {"id": key, "kind": fault.name, **fault.as_text()}, 201)


async def list_all(request: Request) -> Response:
    return answer(request, control(request).faults.as_text())


async def remove(request: Request) -> Response:
    removed = await control(request).faults.remove(request.path_params["fault"])
    return answer(request, {"removed": removed})


ROUTES = [
    Route(PATH, add, methods=["POST"]),
    Route(PATH, list_all),
    Route(PATH + "/{fault}", remove, methods=["DELETE"]),
]
