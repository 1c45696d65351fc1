"""/apps/X/releases: list in pieces, info by id or version, retry a slug, roll back."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from truegreen.embedded.api.ranges import BadRange, ListRange
from truegreen.embedded.api.respond import (
    USER,
    ApiError,
    answer,
    answer_text,
    app_of,
    as_json,
    body,
    control,
    invalid,
    not_found,
    text_field,
)
from truegreen.embedded.control import Control
from truegreen.embedded.records import App, Release, ReleaseStatus, ReleaseSummary


class _Frame(NamedTuple):
    """What a release's JSON says that the release itself does not know."""

    app_id: str
    app_name: str
    plans: tuple[str, ...]
    api: str


def release_json(state: Control, app: App, release: Release) -> dict[str, Any]:
    current = release.id == app.current_release_id
    kept = state.store.has_slug(release.slug_id)
    return _shape(_frame(state, app), release.summary, current=current, kept=kept)


def _frame(state: Control, app: App) -> _Frame:
    plans = tuple(addon.plan for addon in state.store.addons(app.id))
    return _Frame(app.id, app.name, plans, state.urls.api)


def _shape(frame: _Frame, release: ReleaseSummary, *, current: bool, kept: bool) -> dict[str, Any]:
    """``kept``: are its slug's files still there?"""
    return {
        "addon_plan_names": list(frame.plans),
        "app": {"id": frame.app_id, "name": frame.app_name},
        "artifacts": [],
        "created_at": release.created_at,
        "current": current,
        "description": release.description,
        "eligible_for_rollback": kept and release.status == ReleaseStatus.SUCCEEDED,
        "id": release.id,
        "output_stream_url": f"{frame.api}/streams/{release.stream}" if release.stream else None,
        "slug": {"id": release.slug_id} if release.slug_id else None,
        "status": str(release.status),
        "updated_at": release.updated_at,
        "user": USER,
        "version": release.version,
    }


@lru_cache(maxsize=4096)
def _text(frame: _Frame, release: ReleaseSummary, current: bool, kept: bool) -> str:
    """A release in a list. Of its arguments only, so what is kept of it is never out of date."""
    return as_json(_shape(frame, release, current=current, kept=kept))


async def list_of_app(request: Request) -> Response:
    state, app = control(request), app_of(request)
    store = state.store
    try:
        asked = ListRange.parse(request.headers.get("range", ""), ("version", "id"))
        field: Literal["id", "version"] = "id" if asked.field == "id" else "version"
        keys, headers, more = asked.cut(store.release_keys(app.id, field), lambda key: key)
    except BadRange as error:
        raise ApiError(416, "requested_range_not_satisfiable", str(error)) from None
    frame = _frame(state, app)
    found = [
        _text(frame, release, release.id == app.current_release_id, store.has_slug(release.slug_id))
        for release in store.summaries(app.id, field, keys)
    ]
    return answer_text(request, f"[{', '.join(found)}]", 206 if more else 200, headers)


def _release_of(request: Request, app: App) -> Release:
    release = control(request).store.release_of(app.id, request.path_params["release"])
    if release is None:
        raise not_found("release")
    return release


async def info(request: Request) -> Response:
    state, app = control(request), app_of(request)
    return answer(request, release_json(state, app, _release_of(request, app)))


async def config_vars(request: Request) -> Response:
    release = _release_of(request, app_of(request))
    return answer(request, dict(sorted(release.config.items())))


async def create(request: Request) -> Response:
    state, values, app = control(request), await body(request), app_of(request)
    slug_id, release_id = text_field(values, "slug"), text_field(values, "release")
    description = text_field(values, "description")
    if bool(slug_id) == bool(release_id):
        raise invalid("Give either slug (run it again) or release (roll back to it).")
    if release_id:
        release = _roll_back(state, app, release_id, description)
    else:
        slug = state.store.slug(slug_id or "")
        if slug is None or slug.app_id != app.id:
            raise not_found("slug")
        if slug.pruned:
            raise _pruned("Cannot release the slug again")
        text = description or f"Deploy {(slug.commit or '')[:8]}".strip()
        release = state.releases.create(app, description=text, slug_id=slug.id)
    fresh = state.store.app(app.id) or app
    return answer(request, release_json(state, fresh, release), 201)


def _pruned(what: str) -> ApiError:
    text = f"{what}: its slug is no longer available (see the setting slug-cache). Deploy instead."
    return ApiError(422, "release_not_eligible", text)


def _roll_back(state: Control, app: App, release_id: str, description: str | None) -> Release:
    """Code and config vars of that release; what add-ons have set stays as it is now."""
    target = state.store.release_of(app.id, release_id)
    if target is None:
        raise not_found("release")
    if not target.slug_id or target.status is not ReleaseStatus.SUCCEEDED:
        raise ApiError(
            422,
            "release_not_eligible",
            f"Cannot roll back to v{target.version}: it has no code, or it did not succeed.",
        )
    if not state.store.has_slug(target.slug_id):
        raise _pruned(f"Cannot roll back to v{target.version}")
    own = {addon.config_var for addon in state.store.addons(app.id)}
    config = {name: value for name, value in target.config.items() if name not in own}
    config |= {name: app.config[name] for name in own if name in app.config}
    return state.releases.create(
        app,
        description=description or f"Rollback to v{target.version}",
        slug_id=target.slug_id,
        config=config,
    )


ROUTES = [
    Route("/apps/{app}/releases", list_of_app),
    Route("/apps/{app}/releases", create, methods=["POST"]),
    Route("/apps/{app}/releases/{release}", info),
    Route("/apps/{app}/releases/{release}/config-vars", config_vars),
]
