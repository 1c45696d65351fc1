"""The guard around an ASGI application, scope by scope."""

import asyncio
from typing import Any

import pytest

from truegreen.guard import DIRECT, HEROKU_LEGACY, GuardPolicy, Ranges, client_address
from truegreen.guard.asgi import OriginGuard
from truegreen.secret import Secret

pytestmark = pytest.mark.usefixtures("way")

EDGE = Ranges(["104.16.0.0/13"], client_header="cf-connecting-ip")
SECRET = (b"x-origin-secret", b"right")
BODY = b'{"error": "direct_origin_blocked"}'


def ask(policy: GuardPolicy, *headers: tuple[bytes, bytes], **more: Any) -> tuple[Any, list[Any]]:
    """(the scope that the application got or None, what was sent)."""
    got: list[Any] = []
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        got.append(scope)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": list(headers)} | more
    asyncio.run(OriginGuard(app, policy)(scope, None, send))  # type: ignore[arg-type]
    return (got[0] if got else None), sent


def enforce(**more: Any) -> GuardPolicy:
    return GuardPolicy("enforce", [Secret("right")], **more)


def test_a_direct_request_gets_the_contracts_refusal() -> None:
    got, sent = ask(enforce(), (b"cf-connecting-ip", b"203.0.113.9"))
    assert got is None
    start, body = sent
    assert start["status"] == 403
    assert dict(start["headers"]) == {
        b"content-type": b"application/json",
        b"content-length": str(len(BODY)).encode(),
        b"cache-control": b"no-store",
    }
    assert body["body"] == BODY
    assert ask(enforce(), method="HEAD")[1][1]["body"] == b""


def test_the_application_gets_the_client_and_never_the_secret() -> None:
    shared = [(b"host", b"x"), SECRET, (b"cf-connecting-ip", b"2001:DB8::1")]
    for mode in ("enforce", "report", "off"):
        got, _ = ask(GuardPolicy(mode, [Secret("right")]), *shared)
        assert got["headers"] == [shared[0], shared[2]]
        assert client_address(got) == (None if mode == "off" else "2001:db8::1")
    assert SECRET in shared  # the server's own list is left alone


def test_a_secret_that_comes_twice_is_refused_and_neither_is_passed_on() -> None:
    policy = enforce(exempt={"/health"})
    twice = (SECRET, (b"host", b"x"), SECRET)
    assert ask(policy, *twice)[0] is None
    assert policy.tally.counts == {"secret_duplicated": 1}
    got, _ = ask(policy, *twice, path="/health")
    assert got["headers"] == [(b"host", b"x")]


def test_more_than_one_forwarded_line_is_refused_where_it_is_read() -> None:
    lines = ((b"x-forwarded-for", b"104.16.0.1"), (b"x-forwarded-for", b"x, 104.16.0.1"))
    policy = enforce(ranges=EDGE, profile=HEROKU_LEGACY)
    assert ask(policy, SECRET, *lines)[0] is None
    assert policy.tally.counts == {"forwarded_duplicated": 1}
    assert ask(policy, SECRET, lines[1])[0] is not None
    assert ask(enforce(), SECRET, *lines)[0] is not None


def test_headers_with_similar_names_are_not_taken_for_the_two() -> None:
    policy = enforce(ranges=EDGE, profile=HEROKU_LEGACY)
    near = ("x-forwarded-fo", "x-forwarded-for-", "x-forwarded-proto", "x-real-ip", "z", "a")
    for name in near:
        assert ask(policy, SECRET, (name.encode(), b"104.16.0.1"))[0] is None
    assert policy.tally.counts == {"address_missing": len(near)}
    for name in ("x-origin-secre", "x-origin-secret-", "y-origin-secret"):
        assert (
            ask(policy, (name.encode(), b"right"), (b"x-forwarded-for", b"104.16.0.1"))[0] is None
        )
    assert policy.tally.counts["secret_missing"] == 3
    others = tuple((name.encode(), b"x") for name in near)
    got, _ = ask(policy, *others, SECRET, (b"x-forwarded-for", b"104.16.0.1"))
    assert got["headers"] == [*others, (b"x-forwarded-for", b"104.16.0.1")]


def test_the_secret_is_stripped_wherever_it_stands() -> None:
    """Its place in the last request is only a guess."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["headers"])

    guard = OriginGuard(app, enforce())
    others = [(b"host", b"x"), (b"accept", b"*/*"), (b"via", b"1.1 x")]
    for place in (3, 0, 2, 2, 1, 3):
        lines = [*others[:place], SECRET, *others[place:]]
        asyncio.run(guard({"type": "http", "headers": lines}, None, None))  # type: ignore[arg-type]
    for fewer in ([SECRET, *others[:2]], [SECRET]):
        asyncio.run(guard({"type": "http", "headers": fewer}, None, None))  # type: ignore[arg-type]
    assert seen == [*[others] * 6, others[:2], []]


def test_without_proxies_the_connections_peer_decides() -> None:
    policy = enforce(ranges=EDGE, profile=DIRECT)
    assert ask(policy, SECRET, client=("104.16.0.1", 4))[0] is not None
    for client in (("203.0.113.9", 4), None, ["", 0]):
        forged = (b"x-forwarded-for", b"104.16.0.1")
        assert ask(policy, SECRET, forged, client=client)[0] is None


def test_further_checks_read_their_headers() -> None:
    class Access:
        def reason(self, token: str | None) -> str:
            return "" if token == "good" else "access_missing"

    policy = enforce(workers={"a.example"}, access=Access())
    token = (b"cf-access-jwt-assertion", b"good")
    assert ask(policy, SECRET, token)[0] is not None
    assert ask(policy, SECRET, token, (b"cf-worker", b"a.example"))[0] is not None
    assert ask(policy, SECRET, token, (b"cf-worker", b"b.example"))[0] is None
    assert ask(policy, SECRET, token, token)[0] is None
    assert ask(policy, SECRET)[0] is None


def test_a_websocket_is_refused_before_it_is_accepted() -> None:
    _, sent = ask(enforce(), type="websocket")
    assert [(one["type"], one["code"]) for one in sent] == [("websocket.close", 1008)]
    _, sent = ask(enforce(), type="websocket", extensions={"websocket.http.response": {}})
    assert [one["type"] for one in sent] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
    assert (sent[0]["status"], sent[1]["body"]) == (403, BODY)
    assert ask(enforce(), SECRET, type="websocket")[0] is not None


def test_lifespan_passes_and_what_cannot_be_judged_does_not() -> None:
    assert ask(enforce(), type="lifespan")[0] is not None
    with pytest.raises(ValueError, match="cannot be judged"):
        ask(enforce(), type="webtransport")


def test_headers_may_be_any_iterable() -> None:
    assert ask(enforce(), headers=iter([SECRET]))[0]["headers"] == []
