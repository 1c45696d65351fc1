"""The short way through the adapters admits what the decision itself admits, and nothing else."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truegreen.guard import (
    DIRECT,
    HEROKU,
    HEROKU_LEGACY,
    GuardPolicy,
    Ranges,
    behind,
    reasons,
)  # fmt: skip
from truegreen.guard import admission as module
from truegreen.guard.admission import Admission
from truegreen.guard.asgi import OriginGuard as AsgiGuard
from truegreen.guard.judge import judge
from truegreen.guard.wsgi import OriginGuard as WsgiGuard
from truegreen.secret import Secret

EDGE = Ranges(["104.16.0.0/13", "2606:4700::/32"], client_header="cf-connecting-ip")
OLD = Ranges(["104.16.0.0/13"], date="2026-01-01", max_age_days=1, client_header="x-real-ip")
UNDATED = Ranges(["104.16.0.0/13"])
ONE, TWO, BEYOND = ("sS" * 16,), ("sS" * 16, "t" * 32), ("\xfcnicode", "sS" * 16)


class Access:
    def reason(self, token: str | None) -> str:
        return "" if token is None else "access_malformed"


POLICIES = [
    GuardPolicy(mode, [Secret(one) for one in secrets], **more)  # type: ignore[arg-type]
    for mode in ("enforce", "report")
    for secrets in (ONE, TWO, BEYOND)
    for more in (
        {},
        *({"ranges": EDGE, "profile": one} for one in (HEROKU, HEROKU_LEGACY, DIRECT, behind(2))),
        {"ranges": OLD, "profile": HEROKU},
        {"ranges": OLD, "profile": HEROKU, "clock": lambda: 0.0},
        {"ranges": UNDATED, "profile": HEROKU},
        {"ranges": EDGE, "profile": HEROKU, "workers": {"a.example"}},
        {"access": Access()},
        {"checks": ["secret", "presence_unsafe"]},
    )
]
secret = st.one_of(
    st.sampled_from([*ONE, *TWO, *BEYOND, "", "sS" * 15, "sS" * 17, "s" * 32, "S" * 32]),
    st.text(st.characters(max_codepoint=255), max_size=40),
)
ADDRESSES = "104.16.0.1 104.16.0.2 2606:4700::1 ::ffff:104.16.0.1 10.0.0.1 203.0.113.9 104.16.0.1:8"
entry = st.sampled_from([*ADDRESSES.split(), "", "104.16.0.1\n"])
line = st.builds(
    lambda entries, between: between.join(entries),
    st.lists(entry, max_size=4),
    st.sampled_from([", ", ",", " ", ",  ", " ,", "\t", "\n"]),
)
NAMED = st.one_of(
    st.tuples(st.just("x-origin-secret"), secret),
    st.tuples(st.just("x-forwarded-for"), line),
    st.tuples(st.sampled_from(["cf-connecting-ip", "cf-worker", "host", "x-real-ip"]), entry),
)
REQUEST = st.lists(NAMED, max_size=6)


def entered(reason: str, policy: GuardPolicy) -> bool:
    return policy.settle(reason, "/")[0]


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(POLICIES), st.lists(REQUEST, min_size=1, max_size=3), entry)
def test_the_short_way_in_wsgi_is_the_decision(
    policy: GuardPolicy, requests: list[list[tuple[str, str]]], peer: str
) -> None:
    inside: list[dict[str, Any]] = []

    def app(environ: dict[str, Any], start: object) -> list[bytes]:
        inside.append(environ)
        return []

    guard = WsgiGuard(app, policy)  # several requests: what one leaves must not help the next
    for lines in requests:
        environ: dict[str, Any] = {"PATH_INFO": "/", "REMOTE_ADDR": peer}
        for name, value in lines:
            key = "HTTP_" + name.upper().replace("-", "_")
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        get = environ.get
        reason = judge(
            policy.rules,
            get("HTTP_X_ORIGIN_SECRET"),
            get("HTTP_X_FORWARDED_FOR") if policy.reads_forwarded else peer,
            get("HTTP_" + (policy.client_header or "cf-connecting-ip").upper().replace("-", "_")),
            get("HTTP_CF_WORKER"),
        )
        before = policy.tally.counts.get(reason, 0)
        inside.clear()
        guard(environ, lambda *_: None)  # type: ignore[arg-type, return-value]
        assert bool(inside) == entered(reason, policy)
        assert policy.tally.counts[reason] == before + 1
        assert ("truegreen.client" in environ) == (reason == reasons.ADMITTED)
        assert "HTTP_X_ORIGIN_SECRET" not in environ


def joined(lines: list[tuple[str, str]], name: str) -> str | None:
    values = [value for key, value in lines if key == name]
    return "\n".join(values) if values else None


@pytest.mark.usefixtures("way")
@settings(deadline=None, max_examples=400)
@given(st.sampled_from(POLICIES), st.lists(REQUEST, min_size=1, max_size=3), entry)
def test_the_short_way_in_asgi_is_the_decision(
    policy: GuardPolicy, requests: list[list[tuple[str, str]]], peer: str
) -> None:
    inside: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        inside.append(scope)

    async def send(message: Any) -> None: ...

    guard = AsgiGuard(app, policy)
    for lines in requests:
        reason = judge(
            policy.rules,
            joined(lines, "x-origin-secret"),
            joined(lines, "x-forwarded-for") if policy.reads_forwarded else peer,
            joined(lines, policy.client_header or "cf-connecting-ip"),
            joined(lines, "cf-worker"),
        )
        before = policy.tally.counts.get(reason, 0)
        inside.clear()
        headers = [(name.encode(), value.encode("latin-1")) for name, value in lines]
        scope = {"type": "http", "path": "/", "headers": headers, "client": (peer, 1)}
        with suppress(StopIteration):
            guard(scope, None, send).send(None)  # type: ignore[arg-type, attr-defined]
        assert bool(inside) == entered(reason, policy)
        assert policy.tally.counts[reason] == before + 1
        assert ("truegreen.client" in scope) == (reason == reasons.ADMITTED)
        if inside:
            kept = [pair for pair in headers if pair[0] != b"x-origin-secret"]
            assert inside[0]["headers"] == kept


@pytest.mark.usefixtures("way")
def test_a_line_feed_before_the_last_address_is_refused_as_two_lines() -> None:
    policy = GuardPolicy("enforce", [Secret("right")], ranges=EDGE, profile=HEROKU)
    chain, started, sent = "1.2.3.4\n6.6.6.6, 104.16.0.1", [], []
    environ = {"HTTP_X_ORIGIN_SECRET": "right", "HTTP_X_FORWARDED_FOR": chain}
    WsgiGuard(lambda *_: [], policy)(environ, lambda *told: started.append(told[0]))  # type: ignore[arg-type]

    async def send(message: Any) -> None:
        sent.append(message.get("status"))

    headers = [(b"x-forwarded-for", chain.encode()), (b"x-origin-secret", b"right")]
    with suppress(StopIteration):
        AsgiGuard(None, policy)({"type": "http", "headers": headers}, None, send).send(None)  # type: ignore[arg-type, attr-defined]
    assert (started, sent) == (["403 Forbidden"], [403, None])
    assert policy.tally.counts == {"forwarded_duplicated": 2}


@pytest.mark.usefixtures("way")
def test_the_usual_request_takes_the_short_way(monkeypatch: Any) -> None:
    """Else the comparisons above compare the decision with itself."""
    policy = GuardPolicy("enforce", [Secret("right")], ranges=EDGE, profile=HEROKU)

    def app(environ: object, start: object) -> list[bytes]:
        return [b"in"]

    async def asgi(scope: object, receive: object, send: object) -> None: ...

    def long_way(*_facts: object) -> str:
        raise AssertionError("the decision was asked")

    monkeypatch.setattr("truegreen.guard.wsgi.judge", long_way)
    monkeypatch.setattr("truegreen.guard.asgi.judge", long_way)
    for _ in range(2):
        environ = {"HTTP_X_ORIGIN_SECRET": "right", "HTTP_X_FORWARDED_FOR": "x, 104.16.0.1"}
        assert WsgiGuard(app, policy)(environ, None) == [b"in"]  # type: ignore[arg-type]
        headers = [(b"x-forwarded-for", b"x, 104.16.0.1"), (b"x-origin-secret", b"right")]
        with suppress(StopIteration):
            AsgiGuard(asgi, policy)({"type": "http", "headers": headers}, None, None).send(None)  # type: ignore[arg-type, attr-defined]
    assert policy.tally.counts == {"admitted": 4}


def test_the_edges_addresses_are_remembered_up_to_a_number(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "KEPT", 3)
    policy = GuardPolicy("enforce", [Secret("right")], ranges=EDGE, profile=HEROKU)
    text, raw = Admission(policy.rules, raw=False), Admission(policy.rules, raw=True)
    for number in range(9):
        assert text.in_place(f"{number}.0.0.1, 104.16.0.{number}")
        assert raw.in_place(b"%d.0.0.1, 104.16.0.%d" % (number, number))
        assert not text.in_place(f"104.16.0.1, 203.0.113.{number}")
    assert text.known == {f" 104.16.0.{number}" for number in range(3)}
    assert raw.known == {b" 104.16.0.%d" % number for number in range(3)}
