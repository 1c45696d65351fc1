from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from truegreen.errors import UsageError
from truegreen.heroku import HerokuClient, UnexpectedAnswer

from .platform_double import (
    ACCOUNT_JSON,
    ADDON_JSON,
    APP_JSON,
    FORMATION_JSON,
    SLUG_JSON,
    SOURCE_JSON,
    TOKEN,
    build_json,
    client_of,
    dyno_json,
    release_json,
)

APP = "raxx-api-prod"
R = release_json()["id"]


@pytest.mark.parametrize(
    ("call", "answer", "method", "path", "body"),
    [
        (lambda c: c.account(), ACCOUNT_JSON, "GET", "/account", None),
        (lambda c: c.rate_limit(), {"remaining": 9}, "GET", "/account/rate-limits", None),
        (lambda c: c.app(APP), APP_JSON, "GET", f"/apps/{APP}", None),
        (lambda c: c.create_app(APP), APP_JSON, "POST", "/apps", {"name": APP}),
        (lambda c: c.config_vars(APP), {"A": "1"}, "GET", f"/apps/{APP}/config-vars", None),
        (
            lambda c: c.set_config_vars(APP, {"A": "1", "B": None}),
            {"A": "1"},
            "PATCH",
            f"/apps/{APP}/config-vars",
            {"A": "1", "B": None},
        ),
        (lambda c: c.addons(APP), [ADDON_JSON], "GET", f"/apps/{APP}/addons", None),
        (
            lambda c: c.create_addon(APP, "heroku-postgresql:essential-0"),
            ADDON_JSON,
            "POST",
            f"/apps/{APP}/addons",
            {"plan": "heroku-postgresql:essential-0"},
        ),
        (lambda c: c.create_source(), SOURCE_JSON, "POST", "/sources", {}),
        (
            lambda c: c.create_build(APP, "https://s3/x", "9f02"),
            build_json(),
            "POST",
            f"/apps/{APP}/builds",
            {"source_blob": {"url": "https://s3/x", "version": "9f02"}},
        ),
        (lambda c: c.build(APP, "b1"), build_json(), "GET", f"/apps/{APP}/builds/b1", None),
        (lambda c: c.builds(APP), [build_json()], "GET", f"/apps/{APP}/builds", None),
        (lambda c: c.slug(APP, "s1"), SLUG_JSON, "GET", f"/apps/{APP}/slugs/s1", None),
        (lambda c: c.release(APP, R), release_json(), "GET", f"/apps/{APP}/releases/{R}", None),
        (lambda c: c.release(APP, 154), release_json(), "GET", f"/apps/{APP}/releases/154", None),
        (
            lambda c: c.release(APP, "v154"),
            release_json(),
            "GET",
            f"/apps/{APP}/releases/154",
            None,
        ),
        (lambda c: c.releases(APP), [release_json()], "GET", f"/apps/{APP}/releases", None),
        (
            lambda c: c.create_release(APP, slug="s1", description="Retry v154"),
            release_json(),
            "POST",
            f"/apps/{APP}/releases",
            {"slug": "s1", "description": "Retry v154"},
        ),
        (
            lambda c: c.rollback(APP, "r9"),
            release_json(),
            "POST",
            f"/apps/{APP}/releases",
            {"release": "r9"},
        ),
        (lambda c: c.formation(APP), [FORMATION_JSON], "GET", f"/apps/{APP}/formation", None),
        (
            lambda c: c.scale(APP, {"web": 2}),
            [FORMATION_JSON],
            "PATCH",
            f"/apps/{APP}/formation",
            {"updates": [{"type": "web", "quantity": 2}]},
        ),
        (lambda c: c.dynos(APP), [dyno_json()], "GET", f"/apps/{APP}/dynos", None),
        (lambda c: c.restart_dynos(APP), {}, "DELETE", f"/apps/{APP}/dynos", None),
        (lambda c: c.restart_dynos(APP, "web.1"), {}, "DELETE", f"/apps/{APP}/dynos/web.1", None),
    ],
)
def test_each_method_is_one_call_of_its_endpoint(
    call: Callable[[HerokuClient], Any], answer: Any, method: str, path: str, body: Any
) -> None:
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(202 if method == "DELETE" else 200, json=answer)

    client = client_of(handler)
    call(client)
    (request,) = asked
    assert (request.method, request.url.path) == (method, path)
    assert (json.loads(request.content) if request.content else None) == body
    assert client.calls == 1


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (lambda c: c.release(APP, R), release_json(153)),
        (lambda c: c.release(APP, "v154"), release_json(153)),
        (lambda c: c.release(APP, 154), release_json(153)),
        (lambda c: c.build(APP, "b1"), build_json(2)),
        (lambda c: c.slug(APP, "s2"), SLUG_JSON),
        (lambda c: c.app("another-app"), APP_JSON),
    ],
)
def test_answer_about_another_thing_is_refused(
    call: Callable[[HerokuClient], Any], answer: Any
) -> None:
    client = client_of(lambda _: httpx.Response(200, json=answer))
    with pytest.raises(UnexpectedAnswer, match="asked for was"):
        call(client)


def test_bad_names_are_refused_before_anything_is_sent() -> None:
    client = client_of(lambda _: httpx.Response(500))
    for call in (
        lambda: client.app("../account"),
        lambda: client.create_app("Not A Name"),
        lambda: client.build(APP, ".."),
        lambda: client.releases(APP, limit=0),
    ):
        with pytest.raises(UsageError):
            call()
    assert client.calls == 0


def test_ids_cannot_change_the_path() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.raw_path == b"/apps/raxx-api-prod/slugs/a%2F..%2F..%2Faccount%3Fx"
        return httpx.Response(200, json=SLUG_JSON | {"id": "a/../../account?x"})

    client_of(handler).slug(APP, "a/../../account?x")


def listing(count: int, page: int) -> Callable[[httpx.Request], httpx.Response]:
    """A release list of ``count``, ``page`` at a time, as Heroku hands it out."""

    def handler(request: httpx.Request) -> httpx.Response:
        asked = request.headers["Range"]
        newest = (
            count if asked.startswith("version ..") else int(asked.split("]")[1].split("..")[0])
        )
        versions = range(newest, max(0, newest - page), -1)
        raw = [release_json(version) for version in versions]
        last = versions[-1]
        if last == 1:
            return httpx.Response(200, json=raw)
        more = {"Next-Range": f"version ]{last - 1}..; max={page}, order=desc"}
        return httpx.Response(206, json=raw, headers=more)

    return handler


def test_a_thousand_releases_come_through_pages_newest_first() -> None:
    client = client_of(listing(1000, 200))
    releases = client.releases(APP, limit=1000)
    assert [release.version for release in releases] == list(range(1000, 0, -1))
    assert client.calls == 5


def test_newest_releases_are_one_call() -> None:
    client = client_of(listing(1000, 10))
    assert [release.version for release in client.releases(APP, limit=10)][:2] == [1000, 999]
    assert client.calls == 1


def test_whole_list_in_another_order_is_put_in_order() -> None:
    raw = [release_json(version) for version in (1, 3, 2)]
    client = client_of(lambda _: httpx.Response(200, json=raw))
    assert [release.version for release in client.releases(APP)] == [3, 2, 1]


def test_part_of_a_list_in_another_order_is_no_answer() -> None:
    raw = [release_json(version) for version in (1, 2, 3)]
    client = client_of(lambda _: httpx.Response(206, json=raw, headers={"Next-Range": "x"}))
    with pytest.raises(UnexpectedAnswer, match="not newest first"):
        client.releases(APP, limit=3)
    client = client_of(lambda _: httpx.Response(200, json=raw))
    with pytest.raises(UnexpectedAnswer, match="not newest first"):
        client.releases(APP, limit=2)


def test_a_version_that_comes_twice_is_no_answer() -> None:
    raw = [release_json(2), release_json(2)]
    with pytest.raises(UnexpectedAnswer, match="twice"):
        client_of(lambda _: httpx.Response(200, json=raw)).releases(APP)


def test_builds_are_newest_first() -> None:
    raw = [
        build_json(1, created_at="2026-06-20T00:00:00Z"),
        build_json(2, created_at="2026-06-21T00:00:00Z"),
    ]
    client = client_of(lambda _: httpx.Response(200, json=raw))
    assert [build.id for build in client.builds(APP)] == ["b2", "b1"]


def test_no_token_goes_to_what_the_platform_names(tmp_path: Path) -> None:
    tarball = tmp_path / "source.tgz"
    tarball.write_bytes(b"x" * 1000)
    elsewhere: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/sources":
            return httpx.Response(201, json=SOURCE_JSON)
        elsewhere.append(request)
        return httpx.Response(200, content=b"line\n" if request.method == "GET" else b"")

    client = client_of(handler)
    client.upload(client.create_source(), tarball)
    for url in ("https://streams.example.com/1?x=y", "http://127.0.0.1:5000/streams/unguessable"):
        assert b"".join(client.stream(url, 5)) == b"line\n"
    assert [request.url.host for request in elsewhere] == [
        "s3.example.com",
        "streams.example.com",
        "127.0.0.1",
    ]
    for request in elsewhere:
        assert "Authorization" not in request.headers
        assert TOKEN.encode() not in request.content
        assert TOKEN not in str(request.headers.raw)
    assert client.calls == 1


@pytest.mark.parametrize(
    "url", ["http://streams.example.com/1", "https://u:p@streams.example.com/1", "file:///etc/x"]
)
def test_streams_and_uploads_to_unsafe_addresses_are_refused(url: str, tmp_path: Path) -> None:
    source = {"source_blob": {"put_url": url, "get_url": url}}
    client = client_of(lambda _: httpx.Response(201, json=source))
    with pytest.raises(UnexpectedAnswer, match="output_stream_url"):
        client.stream(url, 5)
    with pytest.raises(UnexpectedAnswer, match="put_url"):
        client.upload(client.create_source(), tmp_path / "x")


def test_client_closes_with_its_block() -> None:
    with client_of(lambda _: httpx.Response(200, json=ACCOUNT_JSON)) as client:
        client.account()
    with pytest.raises(RuntimeError, match="closed"):
        client.account()
