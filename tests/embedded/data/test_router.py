"""The router finds the app, says what Heroku's says to it, and answers when no dyno does."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from truegreen.embedded.dynos import DynoManager, DynoPlan, DynoSettings, DynoState
from truegreen.embedded.relay import Timeouts
from truegreen.embedded.router import Dynos, Router, RouterVersion, host_name

from .web import FixedDynos, connected, dyno, get, header, origin, says, status, talk


class Front:
    def __init__(self, router: Router, port: int, lines: list[str]) -> None:
        self.router = router
        self.port = port
        self.lines = lines

    async def logged(self, what: str) -> str:
        async with asyncio.timeout(30):
            while not (found := [line for line in self.lines if what in line]):
                await asyncio.sleep(0.01)
        return found[0]


@asynccontextmanager
async def router(
    dynos: Dynos,
    *,
    apps: tuple[str, ...] = ("shop",),
    version: RouterVersion = "2.0",
    timeouts: Timeouts | None = None,
    boot_hold: float = 30,
) -> AsyncIterator[Front]:
    lines: list[str] = []
    made = Router(
        lambda host: host.removesuffix(".localhost") if host.split(".")[0] in apps else None,
        dynos,
        lambda: list(apps),
        version=version,
        log=lambda app, name, line: lines.append(f"{app} {name}: {line}"),
        timeouts=timeouts,
        boot_hold=boot_hold,
    )
    port = await made.start()
    try:
        yield Front(made, port, lines)
    finally:
        await made.close()


def go(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(body())


def test_a_request_gets_herokus_headers() -> None:
    async def body() -> None:
        async with origin() as o, router(FixedDynos(dyno("up", o.port))) as front:
            before = time.time_ns() // 1_000_000
            response = await talk(front.port, get("/a?b=c", "shop.localhost:1234"))
            assert response.endswith(b"\r\n\r\nok")
            assert header(response, "Via") == ["1.1 heroku-router"]
            assert o.lines[:2] == ["GET /a?b=c HTTP/1.1", "Host: shop.localhost:1234"]
            assert o.header("X-Forwarded-For") == ["127.0.0.1"]
            assert o.header("X-Forwarded-Proto") == ["http"]
            assert o.header("X-Forwarded-Port") == [str(front.port)]
            assert o.header("Via") == ["1.1 heroku-router"]
            assert len(o.header("X-Request-Id")[0]) == 36
            assert before <= int(o.header("X-Request-Start")[0]) <= before + 60_000
            line = await front.logged("at=info")
            assert line.startswith('shop router: at=info method=GET path="/a?b=c" host=shop.local')
            assert o.header("X-Request-Id")[0] in line
            assert " dyno=web.1 " in line
            assert " status=200 bytes=2 " in line

    go(body)


def test_a_client_cannot_set_what_the_router_sets() -> None:
    async def body() -> None:
        async with origin() as o, router(FixedDynos(dyno("up", o.port))) as front:
            forged = ("X-Forwarded-Proto: https", "X-Forwarded-Port: 443", "X-Request-Start: 1")
            await talk(front.port, get("/", "shop.localhost", *forged))
            assert o.header("X-Forwarded-Proto") == ["http"]
            assert o.header("X-Forwarded-Port") == [str(front.port)]
            assert o.header("X-Request-Start") != ["1"]

    go(body)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("2.0", ["1.1.1.1, 2.2.2.2, 127.0.0.1"]),
        ("legacy", ["1.1.1.1, 127.0.0.1", "2.2.2.2"]),
    ],
)
def test_two_forwarded_for_lines(version: RouterVersion, expected: list[str]) -> None:
    async def body() -> None:
        dynos = FixedDynos()
        async with origin() as o, router(dynos, version=version) as front:
            dynos.dynos = [dyno("up", o.port)]
            two = ("X-Forwarded-For: 1.1.1.1", "X-Other: x", "X-Forwarded-For: 2.2.2.2")
            await talk(front.port, get("/", "shop.localhost", *two))
            assert o.header("X-Forwarded-For") == expected

    go(body)


def test_duplicate_headers_keep_order_and_spelling_both_ways() -> None:
    async def body() -> None:
        reply = (
            b"HTTP/1.1 200 Fine\r\nSet-Cookie: a=1\r\nX-oDD: 1\r\nset-cookie: b=2\r\n"
            b"Connection: X-Hop\r\nX-Hop: secret\r\nContent-Length: 0\r\n\r\n"
        )
        async with origin(says(reply)) as o, router(FixedDynos(dyno("up", o.port))) as front:
            sent = ("x-aA: 1", "X-B: 2", "X-Aa: 3", "Keep-Alive: 5", "TE: trailers")
            response = await talk(front.port, get("/", "shop.localhost", *sent))
            ours = [line for line in o.lines if line.lower().startswith(("x-a", "x-b"))]
            assert ours == ["x-aA: 1", "X-B: 2", "X-Aa: 3"]
            assert o.header("Keep-Alive") == o.header("TE") == []
            assert o.header("Connection") == ["close"]
            assert response.startswith(b"HTTP/1.1 200 Fine\r\n")
            assert response.index(b"Set-Cookie: a=1") < response.index(b"X-oDD: 1")
            assert response.index(b"X-oDD: 1") < response.index(b"set-cookie: b=2")
            assert b"X-Hop" not in response

    go(body)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a" * 20, True),
        ("A1+/=-" * 4, True),
        ("a" * 19, False),
        ("a" * 201, False),
        ("a b" * 9, False),
    ],
)
def test_a_request_id_is_kept_when_valid(sent: str, kept: bool) -> None:
    async def body() -> None:
        async with origin() as o, router(FixedDynos(dyno("up", o.port))) as front:
            await talk(front.port, get("/", "shop.localhost", f"X-Request-Id: {sent}"))
            (got,) = o.header("X-Request-Id")
            assert (got == sent) is kept

    go(body)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:80", "[::1]:80", "LOCALHOST."])
def test_a_bare_host_means_the_only_app_there_is(host: str) -> None:
    async def body() -> None:
        async with origin() as o:
            dynos = FixedDynos(dyno("up", o.port))
            async with router(dynos) as front:
                assert status(await talk(front.port, get("/", host))) == 200
                assert front.router.app_of_host(host) == "shop"
            async with router(dynos, apps=("shop", "blog")) as front:
                response = await talk(front.port, get("/", host))
                assert status(response) == 404
                assert f"http://blog.localhost:{front.port}/".encode() in response
                assert f"http://shop.localhost:{front.port}/".encode() in response

    go(body)


def test_http_1_0_without_a_host_is_served() -> None:
    async def body() -> None:
        async with origin() as o, router(FixedDynos(dyno("up", o.port))) as front:
            assert (await talk(front.port, b"GET / HTTP/1.0\r\n\r\n")).endswith(b"ok")

    go(body)


def test_an_unknown_host_is_no_such_app() -> None:
    async def body() -> None:
        async with router(FixedDynos()) as front:
            response = await talk(front.port, get("/", "nosuch.localhost"))
            assert status(response) == 404
            assert b"No such app" in response

    go(body)


@pytest.mark.parametrize(
    ("dynos", "code"),
    [
        ([dyno("crashed")], "H10"),
        ([], "H14"),
        ([dyno("down")], "H14"),
        ([dyno("up", kind="worker")], "H14"),
        ([dyno("starting")], "H20"),
    ],
)
def test_no_dyno_that_serves_is_herokus_503(dynos: list[DynoState], code: str) -> None:
    async def body() -> None:
        async with router(FixedDynos(*dynos), boot_hold=0.1) as front:
            response = await talk(front.port, get())
            assert status(response) == 503
            assert b"<title>Application error</title>" in response
            line = await front.logged("at=error")
            assert f"at=error code={code} desc=" in line
            assert "status=503" in line

    go(body)


def test_a_request_waits_for_a_dyno_that_is_starting() -> None:
    async def body() -> None:
        dynos = FixedDynos(dyno("starting"))
        async with origin() as o, router(dynos) as front:
            asked = asyncio.create_task(talk(front.port, get()))
            await asyncio.sleep(0.2)
            assert not asked.done()
            dynos.dynos = [dyno("up", o.port)]
            assert status(await asked) == 200

    go(body)


def test_a_refused_connection_is_tried_again_until_the_dynos_end_is_known() -> None:
    async def body() -> None:
        async with origin() as o:
            closed = o.port
        dynos = FixedDynos(dyno("up", closed))
        async with router(dynos) as front:
            asked = asyncio.create_task(talk(front.port, get()))
            await asyncio.sleep(0.2)
            dynos.dynos = [dyno("crashed")]
            assert status(await asked) == 503
            await front.logged("code=H10")
        async with router(FixedDynos(dyno("up", closed)), timeouts=Timeouts(retry=0.1)) as front:
            assert status(await talk(front.port, get())) == 503
            await front.logged("code=H21")

    go(body)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (b"", "H13"),
        (b"HTTP/1.1 200", "H13"),
        (b"garbage\r\n\r\n", "H17"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "H17"),
    ],
)
def test_an_app_that_gives_no_response_is_a_503(reply: bytes, code: str) -> None:
    async def body() -> None:
        async with origin(says(reply)) as o, router(FixedDynos(dyno("up", o.port))) as front:
            assert status(await talk(front.port, get())) == 503
            await front.logged(f"code={code}")

    go(body)


def test_an_app_that_stays_silent_is_h12() -> None:
    async def silent(reader: asyncio.StreamReader, *_: object) -> None:
        await reader.read()

    async def body() -> None:
        assert (Timeouts().first_byte, Timeouts().idle) == (30, 55)  # seconds; Heroku's
        limits = Timeouts(first_byte=0.3)
        async with (
            origin(silent) as o,
            router(FixedDynos(dyno("up", o.port)), timeouts=limits) as front,
        ):
            assert status(await talk(front.port, get())) == 503
            await front.logged("code=H12")

    go(body)


async def _stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
    if b"/half" in head:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc")
    if b"/half-and-gone" not in head:
        await reader.read()


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (get("/half"), "H15"),
        (get("/half-and-gone"), "H18"),
        (b"POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 9\r\n\r\nabc", "H28"),
    ],
)
def test_what_stalls_or_breaks_off_in_its_middle_has_herokus_code(
    request_: bytes, code: str
) -> None:
    async def body() -> None:
        limits = Timeouts(idle=0.3)
        async with (
            origin(_stalls) as o,
            router(FixedDynos(dyno("up", o.port)), timeouts=limits) as front,
        ):
            with suppress(ConnectionResetError):
                await talk(front.port, request_)
            await front.logged(f"code={code}")

    go(body)


def test_a_client_that_goes_away_is_h27() -> None:
    async def body() -> None:
        async with origin(_stalls) as o, router(FixedDynos(dyno("up", o.port))) as front:
            async with connected(front.port) as (_, writer):
                writer.write(get())
                while not o.heads:
                    await asyncio.sleep(0.01)
            line = await front.logged("code=H27")
            assert 'desc="Client Request Interrupted"' in line
            assert "dyno=web.1" in line

    go(body)


def test_a_real_dyno_killed_from_outside_is_h10(tmp_path: Path) -> None:
    async def body() -> None:
        command = f"exec {sys.executable} -m http.server --bind 127.0.0.1 $PORT"
        dynos = DynoManager(data=tmp_path, settings=DynoSettings(), log=lambda *_: None)
        plan = DynoPlan("shop", "web", 1, command, "r", 1, tmp_path, {"PATH": os.environ["PATH"]})
        try:
            async with router(dynos) as front:
                await dynos.apply("shop", [plan])
                assert status(await talk(front.port, get())) == 200  # held while it starts
                (state,) = dynos.states("shop")
                assert state.pid
                os.kill(state.pid, 9)
                while dynos.states("shop")[0].state != "crashed":  # until then it may be H13
                    await asyncio.sleep(0.01)
                assert status(await talk(front.port, get())) == 503
                await front.logged("code=H10")
        finally:
            await dynos.close()

    go(body)


def test_close_breaks_off_what_is_under_way() -> None:
    async def silent(reader: asyncio.StreamReader, *_: object) -> None:
        await reader.read()

    async def body() -> None:
        async with origin(silent) as o:
            async with router(FixedDynos(dyno("up", o.port))) as front:
                asked = asyncio.create_task(talk(front.port, get()))
                while not o.heads:
                    await asyncio.sleep(0.01)
            with suppress(ConnectionResetError):
                assert await asked == b""

    go(body)


def test_log_lines_stay_one_line_whatever_is_asked() -> None:
    async def body() -> None:
        async with router(FixedDynos()) as front:
            await talk(front.port, get('/"' + "x" * 2000))
            line = await front.logged("at=error")
            assert re.fullmatch(r"[^\n]*", line)
            assert len(line) < 1500

    go(body)


@pytest.mark.parametrize(
    ("host", "name"),
    [("A.Localhost:1", "a.localhost"), ("[::1]:9", "::1"), ("", ""), ("a.", "a"), ("[", "")],
)
def test_host_name(host: str, name: str) -> None:
    assert host_name(host) == name
