from __future__ import annotations

from typing import Any

import httpx
import pytest

from truegreen.heroku import localhost

from .wire import Wire, whole


def test_localhost_names_reach_127_0_0_1_with_their_host_kept() -> None:
    with Wire(lambda _a, _n, say: say(whole("200 OK", b"hello", "text/plain"))) as wire:
        url = f"http://raxx-api-prod.localhost:{wire.port}/x?y=1"
        with localhost.client() as client:
            answer = client.post(url, content=b"abc")
        assert answer.text == "hello"
        assert str(answer.request.url) == url
        (asked,) = wire.asked
        assert asked.headers["host"] == f"raxx-api-prod.localhost:{wire.port}"
        assert (asked.path, asked.body) == ("/x?y=1", b"abc")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "raptor.localhost", "127.0.0.9"])
def test_loopback_never_goes_through_a_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        Wire(lambda _a, _n, say: say(whole("502 Bad Gateway", b"proxy", "text/plain"))) as proxy,
        Wire(lambda _a, _n, say: say(whole("200 OK", b"direct", "text/plain"))) as wire,
    ):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        reachable = "127.0.0.1" if host == "127.0.0.9" else host
        with localhost.client(direct_host=host) as client:
            transport = client._transport_for_url(httpx.URL(f"http://{host}:{wire.port}"))
            assert isinstance(transport, localhost.LocalhostTransport)
            assert client.get(f"http://{reachable}:{wire.port}/").text == "direct"
        assert proxy.asked == []


def test_other_hosts_use_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with Wire(lambda _a, _n, say: say(whole("200 OK", b"proxy", "text/plain"))) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        with localhost.client() as client:
            assert client.get("http://raptor.example.com/").text == "proxy"


def test_given_transport_carries_everything() -> None:
    seen: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.host, request.headers["Host"], request.extensions))
        return httpx.Response(200)

    with localhost.client(transport=httpx.MockTransport(handler)) as client:
        client.get("https://raptor.localhost/")
        client.get("https://raptor.example.com/")
    assert seen[0][:2] == ("127.0.0.1", "raptor.localhost")
    assert seen[0][2]["sni_hostname"] == "raptor.localhost"
    assert seen[1][:2] == ("raptor.example.com", "raptor.example.com")
    assert "sni_hostname" not in seen[1][2]


def test_redirects_are_not_followed_unless_asked_for() -> None:
    answer = httpx.Response(302, headers={"Location": "https://example.com/"})
    with localhost.client(transport=httpx.MockTransport(lambda _: answer)) as client:
        assert client.get("http://raptor.localhost/").status_code == 302
