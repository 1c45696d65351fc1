from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from truegreen.errors import PlatformRefused, PlatformUnreachable, UsageError
from truegreen.heroku import HerokuClient, UnexpectedAnswer
from truegreen.heroku.retry import backoff
from truegreen.secret import Secret

from .platform_double import ACCOUNT_JSON, API, TOKEN, Time, build_json, client_of, release_json
from .wire import Wire, whole

Handler = Callable[[httpx.Request], httpx.Response]


def script(*answers: httpx.Response | Exception) -> tuple[Handler, list[httpx.Request]]:
    """Answers one after the other, and what was asked."""
    left = list(answers)
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handler, asked


OK = httpx.Response(200, json=ACCOUNT_JSON)


def ok(raw: Any = ACCOUNT_JSON) -> httpx.Response:
    return httpx.Response(200, json=raw)


PASSING = [
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("late"),
    httpx.ReadError("reset"),
    httpx.ReadTimeout("late"),
    httpx.RemoteProtocolError("closed"),
    httpx.Response(500),
    httpx.Response(502, text="<html>"),
    httpx.Response(503, json={"id": "maintenance", "message": "later"}),
]


@pytest.mark.parametrize("trouble", PASSING, ids=repr)
def test_get_is_asked_again_after_what_may_pass(trouble: httpx.Response | Exception) -> None:
    handler, asked = script(trouble, trouble, ok())
    time = Time()
    client = client_of(handler, time=time)
    assert client.account().email == "sre-agent@example.com"
    assert (client.calls, len(asked)) == (3, 3)
    assert time.slept == [pytest.approx(0.15), pytest.approx(0.3)]


@pytest.mark.parametrize("trouble", PASSING, ids=repr)
def test_get_ends_unreachable_when_it_does_not_pass(trouble: httpx.Response | Exception) -> None:
    client = client_of(script(*[trouble] * 9)[0])
    with pytest.raises(PlatformUnreachable, match=r"127\.0\.0\.1:5000 .* GET /account"):
        client.account()
    assert client.calls == 4


@pytest.mark.parametrize(
    "trouble", [httpx.ConnectError("refused"), httpx.ConnectTimeout("late"), httpx.PoolTimeout("")]
)
def test_post_is_sent_again_when_it_never_reached_the_server(trouble: Exception) -> None:
    handler, asked = script(trouble, httpx.Response(201, json=build_json()))
    assert client_of(handler).create_build("raxx-api-prod", "https://x/y", "9f02").id == "b1"
    assert len(asked) == 2


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ReadError("reset"),
        httpx.ReadTimeout("late"),
        httpx.WriteError("reset"),
        httpx.RemoteProtocolError("closed"),
        httpx.Response(500),
        httpx.Response(503, headers={"Retry-After": "0"}),
    ],
    ids=repr,
)
def test_post_that_may_have_arrived_is_never_sent_twice(
    trouble: httpx.Response | Exception,
) -> None:
    changes: list[Callable[[HerokuClient], object]] = [
        lambda client: client.create_build("raxx-api-prod", "https://x/y", "9f02"),
        lambda client: client.create_release("raxx-api-prod", slug="s1"),
        lambda client: client.rollback("raxx-api-prod", "r1"),
        lambda client: client.set_config_vars("raxx-api-prod", {"A": "1"}),
        lambda client: client.restart_dynos("raxx-api-prod"),
    ]
    for change in changes:
        handler, asked = script(trouble, ok())
        with pytest.raises(PlatformUnreachable, match="look before asking again"):
            change(client_of(handler))
        assert len(asked) == 1


def test_429_waits_as_long_as_it_says_also_for_a_post() -> None:
    limited = httpx.Response(429, headers={"Retry-After": "7"}, json={"id": "rate_limit"})
    handler, asked = script(limited, httpx.Response(201, json=release_json()))
    time = Time()
    client = client_of(handler, time=time)
    assert client.create_release("raxx-api-prod", slug="s1").version == 154
    assert len(asked) == 2
    assert 7 <= time.slept[0] < 8


def test_429_that_asks_for_more_than_our_deadline_is_an_error_at_once() -> None:
    limited = httpx.Response(
        429, headers={"Retry-After": "900"}, json={"id": "rate_limit", "message": "slow down"}
    )
    time = Time()
    with pytest.raises(PlatformRefused, match="slow down") as caught:
        client_of(script(limited)[0], time=time).account()
    assert (caught.value.status, caught.value.error_id, time.slept) == (429, "rate_limit", [])


@pytest.mark.parametrize("value", ["", "soon", "-5", "9" * 40, "\u0661", "1.5"])
def test_429_with_a_retry_after_that_makes_no_sense_still_waits(value: str) -> None:
    headers = {"Retry-After": value.encode()}
    time = Time()
    handler, _ = script(httpx.Response(429, headers=headers), ok())
    client_of(handler, time=time).account()
    assert time.slept[0] >= 1


def test_retries_end_at_our_own_deadline() -> None:
    time = Time()
    client = client_of(lambda _: httpx.Response(503), time=time, deadline=0.4)
    with pytest.raises(PlatformUnreachable):
        client.account()
    assert sum(time.slept) < 0.4


def test_last_rate_limit_is_kept() -> None:
    def answer(value: str) -> httpx.Response:
        return httpx.Response(200, json=ACCOUNT_JSON, headers={"RateLimit-Remaining": value})

    client = client_of(script(answer("4499"), answer("nonsense"), ok())[0])
    assert client.rate_limit_remaining is None
    for _ in range(3):
        client.account()
        assert client.rate_limit_remaining == 4499


def test_refusal_carries_status_id_and_message_on_one_line() -> None:
    body = {"id": "not_found", "message": "Couldn't find\nthat app.\x1b[31m"}
    with pytest.raises(PlatformRefused) as caught:
        client_of(lambda _: httpx.Response(404, json=body)).app("raxx-api-prod")
    error = caught.value
    assert (error.status, error.error_id, error.exit_code) == (404, "not_found", 3)
    assert "Couldn't find that app." in error.message
    assert "\n" not in error.message
    assert "\x1b" not in error.message


def test_401_says_where_the_token_comes_from() -> None:
    unauthorized = httpx.Response(
        401, json={"id": "unauthorized", "message": "Invalid credentials"}
    )
    with pytest.raises(PlatformRefused, match="HEROKU_API_KEY"):
        client_of(lambda _: unauthorized).account()
    with pytest.raises(PlatformRefused, match="it came from file:x"):
        client_of(lambda _: unauthorized, token_source="it came from file:x").account()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("to", ["https://evil.example.com/account", f"{API}/elsewhere"])
def test_redirects_are_not_followed(status: int, to: str) -> None:
    handler, asked = script(httpx.Response(status, headers={"Location": to}))
    with pytest.raises(PlatformRefused, match="redirects are not followed"):
        client_of(handler).account()
    assert len(asked) == 1


def test_token_goes_to_the_api_and_stays_out_of_every_text() -> None:
    handler, asked = script(
        httpx.Response(401, json={"id": TOKEN, "message": f"Bearer {TOKEN} is not valid"}),
        httpx.ReadError(f"died sending {TOKEN}"),
        httpx.Response(500, json={"id": "x", "message": TOKEN}),
        httpx.Response(502),
        httpx.Response(502),
    )
    client = client_of(handler)
    shown = [repr(client), repr(client._api), str(client)]
    for _ in range(2):
        with pytest.raises((PlatformRefused, PlatformUnreachable)) as caught:
            client.account()
        error = caught.value
        shown += [str(error), repr(error), str(vars(error)), error.hint]
    shown.append("".join(traceback.format_exception(PlatformRefused, error, None)))
    assert all(request.headers["Authorization"] == f"Bearer {TOKEN}" for request in asked)
    assert not [text for text in shown if TOKEN in text]


@pytest.mark.parametrize(
    "path", ["@evil.example.com/account", ".evil.example.com/account", "0/account"]
)
def test_path_that_would_change_the_host_is_not_sent(path: str) -> None:
    client = client_of(lambda _: ok(), api="https://api.heroku.com")
    with pytest.raises(UsageError, match="not sent"):
        client._api.request("GET", path)
    assert client.calls == 0


@pytest.mark.parametrize("token", ["", "two words", "line\n", "\x00", "tökén", "a\x7f"])
def test_token_that_cannot_be_one_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(UsageError) as caught:
        HerokuClient(API, Secret(token))
    assert not token or token not in str(caught.value)


def test_every_request_is_version_3_json_of_the_api() -> None:
    handler, asked = script(ok())
    client_of(handler).account()
    assert asked[0].headers["Accept"] == "application/vnd.heroku+json; version=3"
    assert asked[0].headers["User-Agent"] == "truegreen"


def test_cookies_are_neither_kept_nor_sent() -> None:
    with_cookie = httpx.Response(200, json=ACCOUNT_JSON, headers={"Set-Cookie": "a=b; Path=/"})
    handler, asked = script(with_cookie, ok())
    client = client_of(handler)
    client.account()
    client.account()
    assert "Cookie" not in asked[1].headers


@pytest.mark.parametrize("body", [b'{"id": "u", "ema', b"<html>Sign in</html>", b"", b"[]"])
def test_success_without_the_promised_json_is_no_success(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        client_of(lambda _: httpx.Response(200, content=body)).account()


def test_body_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("truegreen.heroku.transport.LARGEST_ANSWER", 1000)
    with pytest.raises(UnexpectedAnswer, match="over 1000 bytes"):
        client_of(lambda _: httpx.Response(200, content=b" " * 2000)).account()


def test_backoff_grows_to_its_limit_and_jitters_by_half() -> None:
    low = [backoff(n, lambda: 0.0, base=0.1, longest=2.0) for n in range(8)]
    high = [backoff(n, lambda: 1.0, base=0.1, longest=2.0) for n in range(8)]
    assert low == sorted(low)
    assert high[0] == pytest.approx(0.1)
    assert high[-1] == 2.0
    assert [x * 2 for x in low] == pytest.approx(high)
    assert backoff(10_000, lambda: 1.0, base=0.1, longest=2.0) == 2.0


# over a real socket


def over(wire: Wire, **kwargs: Any) -> HerokuClient:
    return HerokuClient(wire.url, Secret(TOKEN), sleep=lambda _: None, **kwargs)


def test_body_that_is_cut_off_on_the_wire_is_asked_for_again() -> None:
    good = whole("200 OK", b'{"id": "u", "email": "e@example.com"}')

    def answer(_asked: Any, number: int, say: Callable[[bytes], None]) -> str | None:
        say(good if number else good[:-9])
        return None

    with Wire(answer) as wire, over(wire) as client:
        assert client.account().id == "u"
        assert client.calls == 2


def test_server_that_never_answers_is_unreachable_in_time() -> None:
    def answer(*_: Any) -> None:
        wire.closing.wait(20)

    with Wire(answer) as wire, over(wire, timeout=0.1) as client:
        with pytest.raises(PlatformUnreachable, match="no answer to GET /account"):
            client.account()
        assert client.calls == 4
        wire.closing.set()


def test_server_that_drips_is_ended_by_the_deadline() -> None:
    def answer(_asked: Any, _number: int, say: Callable[[bytes], None]) -> None:
        say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not wire.closing.wait(0.02):
            say(b" ")

    with Wire(answer) as wire, over(wire, deadline=0.5) as client:
        with pytest.raises(PlatformUnreachable, match="no whole answer"):
            client.account()
        wire.closing.set()


def test_nobody_at_home_is_unreachable_and_says_what_to_ask() -> None:
    with Wire(lambda *_: None) as wire:
        url = wire.url
    client = HerokuClient(url, Secret(TOKEN), sleep=lambda _: None)
    with client, pytest.raises(PlatformUnreachable, match="truegreen platform status"):
        client.account()
