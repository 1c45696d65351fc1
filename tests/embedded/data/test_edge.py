"""The edge sets what Cloudflare sets, and what a client forges does not get past it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from truegreen.embedded.edge import Edge, EdgeRule
from truegreen.embedded.relay import Timeouts
from truegreen.embedded.router import Router
from truegreen.errors import UsageError
from truegreen.secret import Secret

from .web import LONG, FixedDynos, dyno, get, header, origin, says, status, talk

HEADER = "X-Origin-Secret"
RULE = EdgeRule(HEADER, Secret("s3cret"))


@asynccontextmanager
async def edge(
    port: int, rule: EdgeRule | None = RULE, timeouts: Timeouts | None = None
) -> AsyncIterator[int]:
    made = Edge(
        lambda host: rule if host == "shop.localhost" else None,
        ("127.0.0.1", port),
        timeouts=timeouts,
    )
    listening = await made.start()
    try:
        yield listening
    finally:
        await made.close()
        assert made._rays == {}


def go(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(LONG):
            await body()

    asyncio.run(bounded())


def test_a_request_gets_cloudflares_headers_and_the_rules_secret() -> None:
    async def body() -> None:
        reply = b"HTTP/1.1 200 OK\r\nServer: gunicorn\r\nContent-Length: 2\r\n\r\nok"
        async with origin(says(reply)) as o, edge(o.port) as port:
            response = await talk(port, get("/", "shop.localhost:99"))
            assert o.header("Host") == ["shop.localhost:99"]
            assert o.header("CF-Connecting-IP") == ["127.0.0.1"]
            assert o.header("X-Forwarded-For") == ["127.0.0.1"]
            assert o.header("CF-Visitor") == ['{"scheme":"http"}']
            assert o.header("CF-IPCountry") == ["XX"]
            assert o.header("CDN-Loop") == ["cloudflare; loops=1"]
            assert o.header(HEADER) == ["s3cret"]
            assert header(response, "Server") == ["cloudflare"]
            assert header(response, "CF-Cache-Status") == ["DYNAMIC"]
            assert header(response, "CF-Ray") == o.header("CF-Ray")

    go(body)


@pytest.mark.parametrize("rule", [RULE, EdgeRule(HEADER, None)])
def test_a_forged_secret_is_dropped_however_it_is_spelled(rule: EdgeRule) -> None:
    async def body() -> None:
        async with origin() as o, edge(o.port, rule) as port:
            forged = [f"{name}: forged" for name in (HEADER, HEADER.upper(), "x_origin-secret")]
            await talk(port, get("/", "shop.localhost", *forged))
            assert b"forged" not in o.heads[-1]
            assert o.header(HEADER) == (["s3cret"] if rule.secret else [])

    go(body)


def test_a_client_cannot_have_the_secret_removed_by_naming_it_in_connection() -> None:
    async def body() -> None:
        async with origin() as o, edge(o.port) as port:
            names = f"Connection: {HEADER}, CF-Connecting-IP"
            await talk(port, get("/", "shop.localhost", names))
            assert o.header(HEADER) == ["s3cret"]
            assert o.header("CF-Connecting-IP") == ["127.0.0.1"]
            assert o.header("Connection") == ["close"]

    go(body)


def test_what_cloudflare_sets_cannot_be_forged() -> None:
    async def body() -> None:
        async with origin() as o, edge(o.port) as port:
            names = ("CF-Connecting-IP", "cf-ray", "CF-Worker", "CF-IPCountry", "CDN-Loop")
            await talk(port, get("/", "shop.localhost", *(f"{n}: forged" for n in names)))
            assert b"forged" not in o.heads[-1]
            assert o.header("CF-Connecting-IP") == ["127.0.0.1"]

    go(body)


def test_another_host_gets_no_secret() -> None:
    async def body() -> None:
        async with origin() as o, edge(o.port) as port:
            await talk(port, get("/", "blog.localhost"))
            assert o.header(HEADER) == []
            assert o.header("CF-Connecting-IP") == ["127.0.0.1"]

    go(body)


def test_through_edge_and_router_the_addresses_add_up() -> None:
    async def body() -> None:
        async with origin() as o:
            router = Router(lambda host: "shop", FixedDynos(dyno("up", o.port)), lambda: ["shop"])
            try:
                async with edge(await router.start()) as port:
                    two = ("X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 7.7.7.7")
                    assert status(await talk(port, get("/", "shop.localhost", *two))) == 200
            finally:
                await router.close()
            # what the client claims, who connected to the edge, who connected to the router
            assert o.header("X-Forwarded-For") == ["6.6.6.6, 7.7.7.7, 127.0.0.1, 127.0.0.1"]
            assert o.header(HEADER) == ["s3cret"]

    go(body)


def test_an_origin_that_is_down_is_521() -> None:
    async def body() -> None:
        async with origin() as o:
            closed = o.port
        async with edge(closed) as port:
            response = await talk(port, get())
            assert status(response) == 521
            assert header(response, "Server") == ["cloudflare"]
            assert header(response, "CF-Ray")[0].encode() in response.partition(b"\r\n\r\n")[2]

    go(body)


def test_an_origin_that_stays_silent_is_524_and_one_that_babbles_520() -> None:
    async def silent(reader: asyncio.StreamReader, *_: object) -> None:
        await reader.read()

    async def body() -> None:
        async with origin(silent) as o, edge(o.port, timeouts=Timeouts(first_byte=0.2)) as port:
            assert status(await talk(port, get())) == 524
        async with origin(says(b"nonsense\r\n\r\n")) as o, edge(o.port) as port:
            assert status(await talk(port, get())) == 520

    go(body)


@pytest.mark.parametrize("secret", ["", " hunter2", "hunter2\r\nX: y", "hunter2ä"])
def test_a_secret_that_no_header_can_carry_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(UsageError) as caught:
        EdgeRule(HEADER, Secret(secret))
    assert "hunter2" not in str(caught.value)


def test_a_header_that_is_no_name_is_refused() -> None:
    with pytest.raises(UsageError):
        EdgeRule("X: y", None)
